"""The root-cause engine: same input, same answer; no I/O, no clock, no randomness."""
