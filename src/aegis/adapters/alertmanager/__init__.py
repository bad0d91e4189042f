"""Alerts that fire, read from Alertmanager and from what speaks its API (Mimir, Grafana)."""
