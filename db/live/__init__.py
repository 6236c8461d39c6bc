"""Live state in Redis: one file a noun, atomic steps in scripts/*.lua, every key in keys.py."""
