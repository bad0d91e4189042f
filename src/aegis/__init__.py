"""Aegis: an AI SRE agent that answers "why is this broken?" from telemetry."""

__version__ = "0.1.0"
