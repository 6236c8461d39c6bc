"""Sportradar: soccer documents and push messages, and the push messages of its US sports."""
