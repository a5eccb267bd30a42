"""The migration pair."""
