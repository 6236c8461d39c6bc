"""The vendors' purge APIs, emulated: each enforces what its documentation says, and remembers what was purged.

On top of a vendor's rules a plane can be told to misbehave: `answer_next` queues raw answers that come first.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dev.system import free_port


@dataclass
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    # Seconds between the bytes of the body: a server that drips.
    drip_s: float = 0.0


class Plane:
    """rules: a call to its answer. open: calls whose askers still wait."""

    def __init__(self, rules: Callable[[Plane, Call], Answer]) -> None:
        self.rules = rules
        self.calls: list[Call] = []
        self.open: list[Call] = []
        self.purged: list[str] = []
        self.soft: list[str] = []
        self.answer_next: list[Answer] = []
        self.stopping = threading.Event()
        self.port = free_port()
        self.server = _Server(("127.0.0.1", self.port), _handler(self))
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An asker that has hung up is no news."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _handler(plane: Plane) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer is two writes; the second would wait until the first is acknowledged, 40 ms on an open connection.
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            call = Call(self.command, self.path, dict(self.headers.items()), body)
            plane.calls.append(call)
            plane.open.append(call)
            answer = plane.answer_next.pop(0) if plane.answer_next else plane.rules(plane, call)
            waited = self.is_waited_for(answer.after_s)
            plane.open.remove(call)
            if waited:
                self.say(answer)

        def is_waited_for(self, after_s: float) -> bool:
            """Until then; False once the asker has hung up, or the test is over."""
            deadline = time.monotonic() + after_s
            while time.monotonic() < deadline and not plane.stopping.wait(0.02):
                if select.select([self.connection], [], [], 0)[0] and not self.connection.recv(1, socket.MSG_PEEK):
                    self.close_connection = True
                    return False
            return not plane.stopping.is_set()

        def say(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            step = 1 if answer.drip_s else len(answer.body) or 1
            try:
                for start in range(0, len(answer.body), step):
                    self.wfile.write(answer.body[start : start + step])
                    if answer.drip_s and plane.stopping.wait(answer.drip_s):
                        return
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_PURGEKEYS = answer

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    return Handler


SERVICE, TOKEN = "SU1Z0isxPaozGVKXdv0eY", "a-token-of-the-tests"


def fastly(plane: Plane, call: Call) -> Answer:
    """POST /service/{id}/purge, Fastly-Key; 256 keys at most, given as header or JSON."""
    if call.headers.get("Fastly-Key") != TOKEN:
        return Answer(401, b'{"msg":"Provided credentials are missing or invalid"}')
    if call.path != f"/service/{SERVICE}/purge":
        return Answer(404, b'{"msg":"Record not found"}')
    keys = call.headers.get("Surrogate-Key", "").split() or call.json["surrogate_keys"]
    if len(keys) > 256:
        return Answer(400, b'{"msg":"Number of Surrogate-Keys exceeds the limit (256)"}')
    (plane.soft if call.headers.get("Fastly-Soft-Purge") == "1" else plane.purged).extend(keys)
    return Answer(200, json.dumps({key: f"1-{n}" for n, key in enumerate(keys)}).encode())


def cloudflare(plane: Plane, call: Call) -> Answer:
    """POST /zones/{id}/purge_cache or /invalidate_cache, Bearer; 1 to 100 tags of 1024 characters at most."""
    verbs = {f"/zones/{SERVICE}/purge_cache": plane.purged, f"/zones/{SERVICE}/invalidate_cache": plane.soft}
    if call.headers.get("Authorization") != f"Bearer {TOKEN}":
        return Answer(403, b'{"success":false,"errors":[{"code":9109,"message":"Unauthorized"}]}')
    if call.path not in verbs:
        return Answer(404, b'{"success":false,"errors":[{"code":7003,"message":"Could not route"}]}')
    tags = call.json["tags"]
    if not 1 <= len(tags) <= 100 or any(len(tag) > 1024 or not tag.isascii() or " " in tag for tag in tags):
        return Answer(400, b'{"success":false,"errors":[{"code":1134,"message":"bad tags"}]}')
    verbs[call.path].extend(tags)
    return Answer(200, b'{"success":true,"errors":[],"messages":[],"result":{"id":"1"}}')


def bunny(plane: Plane, call: Call) -> Answer:
    """POST /pullzone/{id}/purgeCache {"CacheTag": …}, AccessKey; one tag, 204 without a body."""
    if call.headers.get("AccessKey") != TOKEN:
        return Answer(401, b"")
    if call.path != "/pullzone/12345/purgeCache":
        return Answer(404, b"")
    if not isinstance(call.json.get("CacheTag"), str) or "," in call.json["CacheTag"]:
        return Answer(400, b"")
    plane.purged.append(call.json["CacheTag"])
    return Answer(204, b"")


def varnish(plane: Plane, call: Call) -> Answer:
    """As score.vcl does."""
    if call.method != "PURGEKEYS" or call.headers.get("X-Purge-Secret") != TOKEN:
        return Answer(403)
    # http_req_hdr_len (cdn/varnish/daemon.py) is of the whole line.
    if any(len(f"{name}: {value}") > 7 * 1024 for name, value in call.headers.items()):
        return Answer(400)
    keys = call.headers["Surrogate-Key"].split()
    plane.purged.extend(keys)
    return Answer(200, b"{}", {"X-Purged": str(len(keys))})


DISTRIBUTION = "EDFDVBD6EXAMPLE"
NAMESPACE = "{http://cloudfront.amazonaws.com/doc/2020-05-31/}"


def cloudfront(plane: Plane, call: Call) -> Answer:
    """POST /2020-05-31/distribution/{id}/invalidation, signed (version 4); a right count, a new reference, and 3,000
    paths in progress at most."""
    if "AWS4-HMAC-SHA256 Credential=AKIDTESTS/" not in call.headers.get("Authorization", ""):
        return _aws_error(403, "InvalidClientTokenId")
    if call.path != f"/2020-05-31/distribution/{DISTRIBUTION}/invalidation":
        return _aws_error(404, "NoSuchDistribution")
    return _invalidation(plane, call)


def _invalidation(plane: Plane, call: Call) -> Answer:
    batch = ET.fromstring(call.body)
    items = [item.text or "" for item in batch.iter(f"{NAMESPACE}Path")]
    if int(batch.findtext(f".//{NAMESPACE}Quantity") or 0) != len(items) or not items:
        return _aws_error(400, "InconsistentQuantities")
    if len(items) > 3000:
        return _aws_error(400, "TooManyInvalidationsInProgress")
    if not all(re.fullmatch(r"#[\x21-\x7e]{1,256}", item) for item in items):
        return _aws_error(400, "InvalidArgument")
    reference = batch.findtext(f".//{NAMESPACE}CallerReference") or ""
    if any(reference in earlier.body.decode() for earlier in plane.calls[:-1]):
        return _aws_error(400, "InvalidationBatchAlreadyExists")
    plane.purged.extend(item.removeprefix("#") for item in items)
    answer = f'<Invalidation xmlns="{NAMESPACE[1:-1]}"><Id>I1</Id><Status>InProgress</Status></Invalidation>'
    return Answer(201, answer.encode(), {"Content-Type": "text/xml"})


def _aws_error(status: int, code: str) -> Answer:
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error><RequestId>r</RequestId></ErrorResponse>"
    )
    return Answer(status, body.encode(), {"Content-Type": "text/xml"})


def hang(seconds: float) -> Answer:
    return Answer(after_s=seconds)


def wall(call: Callable[[], Any]) -> float:
    started = time.monotonic()
    call()
    return time.monotonic() - started
