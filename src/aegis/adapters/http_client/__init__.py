"""The one way out to a telemetry backend: allow-listed, bounded, and read-only."""
