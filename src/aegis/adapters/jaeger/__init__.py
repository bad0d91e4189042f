"""Traces from Jaeger 1.57 on, and from what speaks its query API."""
