"""Grafana Loki 2.9 to 3.x as a log source: the fixed questions Aegis asks of it, and no others."""
