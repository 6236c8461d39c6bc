"""An HTTP server in this process, for the emulators: threads, a port of this machine, ended with its owner."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# s. How often the server looks whether to end.
POLL_S = 0.05


class QuietHandler(BaseHTTPRequestHandler):
    """Keeps connections open, and writes nothing to the terminal."""

    protocol_version = "HTTP/1.1"
    # An answer is two writes; the second would wait until the first is acknowledged, 40 ms on an open connection.
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        pass


class LocalServer:
    """handler: its class, with `attributes` set on it. port: 0 takes a free one."""

    def __init__(self, handler: type[QuietHandler], port: int = 0, **attributes: object) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", port), type(handler.__name__, (handler,), attributes))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(POLL_S,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
