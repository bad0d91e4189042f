"""One verb a file; independent of each other."""
