"""wsgi.py for tests that look inside the web process: the same app, and `/inside` says what the process is holding."""

from __future__ import annotations

import gc
import json
import os
from typing import Any

import greenlet

from api import gunicorn_worker
from api.delivery import hub
from wsgi import app

# Tests wait for these to be over.
gunicorn_worker.HEAD_S = gunicorn_worker.BODY_S = 2.0
hub.BEAT_S = float(os.environ.get("INSIDE_BEAT_S", hub.BEAT_S))

services = app.extensions["services"]
whole = app.wsgi_app


def inside(environ: dict[str, Any], start_response: Any) -> Any:
    if environ["PATH_INFO"] != "/inside":
        return whole(environ, start_response)
    room = services.room
    figures = {
        "pid": os.getpid(),
        "here": room.here,
        "holds": sum(len(hold.readers) for slots in room.holds.values() for hold in slots.values()),
        "streams": len(room.topics_of),
        "watched": len(room.watched()),
        "connections": len(environ["gunicorn.socket"].worker.connections),
        "greenlets": sum(isinstance(thing, greenlet.greenlet) and not thing.dead for thing in gc.get_objects()),
        "listener": services.listener.up,
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return (json.dumps(figures).encode(),)


app.wsgi_app = inside
