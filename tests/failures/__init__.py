"""Every way in which a backend can fail, for each backend, over the command line and HTTP."""
