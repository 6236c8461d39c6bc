"""Development tools, never deployed: the embedded run, demo, replay of recordings, and emulators."""
