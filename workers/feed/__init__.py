"""`python -m workers.feed`: keeps providers' feeds connected, each read by one process at a time.

`runner` holds the lease and the backoff of one feed, `session` what its reader works with, `pull`, `sportradar` and
`statsperform` are readers. What bytes mean is for `feeds` to say.
"""
