"""Recorded incidents in the format aegis-case/1: read, checked and written."""
