"""Real servers: Alertmanager, PostgreSQL and Aegis as processes of their own, on loopback."""
