"""Writes a case's metrics as the counters and histograms that real services would expose."""
