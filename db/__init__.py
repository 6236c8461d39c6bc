"""What is remembered: domain types, live state in Redis, history in SQL.

Imports nothing of ours from outside this package. Start reading at `domain` (the nouns and the one
pure `reduce`), then `live` and `lua/match_commit.lua`: how a goal becomes a number.
"""
