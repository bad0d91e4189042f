"""HTTP: translate, authenticate, delegate. One application serves every route."""
