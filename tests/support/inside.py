"""wsgi.py for tests that look inside the web process: the same app, and `/inside` says what the process is holding."""

from __future__ import annotations

import gc
import json
import os
import socket
from typing import Any

import greenlet

from api.delivery import hub as hub_module
from api.server import client_socket, connection
from wsgi import app

# Tests wait for these to be over.
connection.HEAD_S = connection.BODY_S = 2.0
# On a busy machine a test may need more than the usual time-out until it reads on.
client_socket.WRITE_S = float(os.environ.get("INSIDE_WRITE_S", "60"))
hub_module.BEAT_S = float(os.environ.get("INSIDE_BEAT_S", hub_module.BEAT_S))

if os.environ.get("INSIDE_HOT_PATH") == "off":
    # Every request takes the ordinary way.
    app.hot_path = lambda _connection, _head: False

SEND_BYTES = 16_384

services = app.extensions["services"]
whole = app.wsgi_app


def inside(environ: dict[str, Any], start_response: Any) -> Any:
    if environ["PATH_INFO"] != "/inside":
        return whole(environ, start_response)
    hub, server = services.hub, environ["gunicorn.socket"].server
    connections = server.poller.connections
    # The connections to come inherit this. The kernel's own buffer grows to megabytes, which hide a slow reader.
    for listener in server.sockets:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
    figures = {
        "pid": os.getpid(),
        "here": hub.here,
        "holds": sum(len(hold.readers) for slots in hub.holds.values() for hold in slots.values()),
        "streams": len(hub.topics_of),
        "watched": len(hub.watched()),
        "connections": len(connections),
        "flushing": sum(connection.flushing for connection in connections.values()),
        "listener": services.listener.up,
    }
    if environ["QUERY_STRING"] == "greenlets":
        # A look at every object there is: too dear for those who only wait for a figure above.
        figures["greenlets"] = sum(isinstance(item, greenlet.greenlet) and not item.dead for item in gc.get_objects())
    start_response("200 OK", [("Content-Type", "application/json")])
    return (json.dumps(figures).encode(),)


app.wsgi_app = inside
