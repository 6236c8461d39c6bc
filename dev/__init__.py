"""What is never deployed: the embedded run, the demo, replays of recordings, and emulators of Apple and Google."""
