"""The routes, one file per audience and concern."""
