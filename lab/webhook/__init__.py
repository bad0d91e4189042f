"""Storms of alerts against the real server, and against a bare FastAPI echo on the same machine."""
