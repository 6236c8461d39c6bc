"""`python -m dev.replay FILE…`: recorded matches through the ingest endpoint."""
