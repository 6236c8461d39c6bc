"""The picture of a match that others show beside a link to it (ogp.me): what is on it, and how it is drawn.

Pure: no network, no clock. The web process knows what is on it (`card`), and workers alone draw it (`drawing`).
"""
