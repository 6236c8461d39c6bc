"""The generic format that any sender can speak (docs/protocol.md, "Ingest")."""
