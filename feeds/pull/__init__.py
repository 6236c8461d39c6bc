"""Polled JSON feeds described by a mapping file: OpenLigaDB, football-data.org, or a provider we do not know."""
