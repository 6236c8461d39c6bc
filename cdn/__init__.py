"""The edge: how long each answer may live, by which keys it is purged, and how each CDN is told so.

`headers` holds every lifetime and every dialect, `keys` what a change purges. `backend` says what a CDN must be able to
do, `backends` picks one by its name, and there is a file for each. `vcl/` and `varnishd` are our own edge. May import
db.domain and db.domain.errors; knows neither Flask nor RQ nor Redis.
"""
