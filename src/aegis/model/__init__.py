"""The words of Aegis: frozen dataclasses without I/O. Imports nothing else of ours."""
