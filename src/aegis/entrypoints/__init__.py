"""How people and programs reach Aegis: translate, authenticate, delegate."""
