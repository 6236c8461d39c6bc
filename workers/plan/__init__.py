"""Ahead of kick-off: what is expected, what it takes, and having it ready in time."""
