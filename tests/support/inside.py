"""wsgi.py for tests that look inside the web process: the same app, and `/inside` says what the process is holding."""

from __future__ import annotations

import gc
import json
import os
import socket
from typing import Any

import greenlet

from api import gunicorn_worker
from api.delivery import hub
from wsgi import app

# Tests wait for these to be over.
gunicorn_worker.HEAD_S = gunicorn_worker.BODY_S = 2.0
# And for this it must not be: on a busy machine a test needs more than 10 s until it reads on.
gunicorn_worker.FLUSH_S = 60.0
hub.BEAT_S = float(os.environ.get("INSIDE_BEAT_S", hub.BEAT_S))

SEND_BYTES = 16_384

services = app.extensions["services"]
whole = app.wsgi_app


def inside(environ: dict[str, Any], start_response: Any) -> Any:
    if environ["PATH_INFO"] != "/inside":
        return whole(environ, start_response)
    room = services.room
    worker = environ["gunicorn.socket"].worker
    # The connections to come have this too. The kernel's own grows to megabytes, which a reader may lag behind unseen.
    for listener in worker.sockets:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
    found = {
        "pid": os.getpid(),
        "here": room.here,
        "holds": sum(len(hold.readers) for slots in room.holds.values() for hold in slots.values()),
        "streams": len(room.topics_of),
        "watched": len(room.watched()),
        "connections": len(worker.connections),
        "flushing": sum(one.flushing for one in worker.connections),
        "greenlets": sum(isinstance(one, greenlet.greenlet) and not one.dead for one in gc.get_objects()),
        "listener": services.listener.up,
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return (json.dumps(found).encode(),)


app.wsgi_app = inside
