"""The command line on a small repository."""
