"""Seeded worlds: services that queue, retry, time out and break, recorded as cases."""
