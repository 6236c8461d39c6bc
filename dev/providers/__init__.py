"""Emulators of score providers: Sportradar, Stats Perform, OpenLigaDB and football-data.org, as strict as they are.

They play recorded matches, moved to now, with the faults of `faults.Faults`. `python -m dev.providers` serves them all.
"""
