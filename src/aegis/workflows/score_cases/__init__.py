"""The benchmark: rank recorded incidents, compare with their labels."""
