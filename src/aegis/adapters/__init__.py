"""One outside system a package. Named only by bootstrap."""
