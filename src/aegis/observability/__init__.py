"""What Aegis says about itself: metrics for Prometheus, log lines as JSON, traces."""
