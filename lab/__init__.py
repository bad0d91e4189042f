"""Worlds to break: they make incidents with a known cause. Not part of the wheel."""
