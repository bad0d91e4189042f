"""Prometheus and the backends that speak its query language."""
