"""How each CDN is told to purge: one interface, one file a vendor, and the registry that picks one by name."""
