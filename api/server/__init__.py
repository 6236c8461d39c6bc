"""Sockets: what gunicorn's worker is made of here. gunicorn loads it before gevent patches the standard library, so it
imports nothing else of ours. Start at `worker.GunicornWorker`."""
