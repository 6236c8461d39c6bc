"""Holding readers and writing to them: hub, listener, snapshots, stream writer. Knows no Flask."""
