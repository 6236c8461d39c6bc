"""One file, one question. A bench prints a table for people, then one JSON line; it never passes or fails."""
