"""The only place where things are constructed."""
