"""The edge: how long each answer may be kept, by which keys it is purged, and how each CDN is configured and called.

- `headers`: every lifetime, and each CDN's dialect for it.
- `keys`: the keys an answer carries and the keys a change purges.
- `check`: verifies that a CDN caches responses and honours purge by key.
- `backends/`: one file a vendor, behind one interface; `registry` picks one by name.
- `varnish/`: our own edge.

May import db.domain; knows neither Flask nor RQ nor Redis.
"""
