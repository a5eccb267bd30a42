"""Finds every remaining use of a PostgreSQL column before it is dropped."""

__version__ = "0.1.0"
