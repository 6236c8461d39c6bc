"""What the edge is told: how long each answer may live. May import db.domain; knows neither Flask nor RQ.

`headers` holds every lifetime in one table.
"""
