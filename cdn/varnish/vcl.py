"""The VCL of an edge: score.vcl with its includes written out, so that one file is all that varnishd reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from cdn.routes import ROUTES, Handling, Route, pattern_of
from db.domain.errors import Refused

FOLDER = Path(__file__).parent

# The connections to the origins that each use may have, as a share of the threads. Each connection occupies two
# threads, its client's and its fetch's, a WebSocket one: at most 90 % are busy with an origin, and a reader whose
# answer is in the cache always finds one.
SHARES = {"stored": 0.10, "held": 0.20, "passed": 0.05, "streams": 0.10}
# Bodies in transit. The token bucket behind it refills within the hour, in case one is not returned.
BODIES_SHARE = 0.04

PREAMBLE = """\
# Two probes of the last five must succeed: that an origin is gone is known after two seconds, and that it is back after
# one. One that is busy with a goal may take a second to answer, and is no outage. A score is read in milliseconds, so
# three seconds to its first byte are an outage, too.
probe up {{
    .request = "GET /healthz HTTP/1.1" "Host: {host}" "Connection: close";
    .interval = 500ms;
    .timeout = 2s;
    .window = 5;
    .threshold = 2;
    .initial = 2;
}}

# What a pipe needs; elsewhere host_header says it.
sub edge_pipe_host {{
    set bereq.http.Host = "{host}";
}}
"""
BACKEND = """
backend {name} {{
    .host = "{address}";
    .port = "{port}";
    .host_header = "{host}";
    .probe = up;
    .connect_timeout = {connect};
    .first_byte_timeout = 3s;
    .between_bytes_timeout = 3s;
    .max_connections = {connections};
}}
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the service is.

    address: where Varnish connects.
    port: where Varnish connects.
    is_remote: it is reached over the internet, through a TLS tunnel.
    """

    address: str
    port: int
    is_remote: bool = False


def render(origins: tuple[Origin, ...], host: str, threads: int) -> str:
    """host: sent to all origins. threads: of varnishd. Raises Refused where they are too few to share out."""
    if threads * min(SHARES.values()) < len(origins):
        raise Refused(f"{threads} threads are too few for {len(origins)} origins.")
    parts = {
        "origin.vcl": _origins(origins, host, threads),
        "routes.vcl": _route_sub() + _query_sub(),
        "fetch.vcl": (FOLDER / "fetch.vcl").read_text(),
    }
    text = (FOLDER / "score.vcl").read_text()
    for name, part in parts.items():
        text = text.replace(f'include "{name}";', part)
    return text


def _origins(origins: tuple[Origin, ...], host: str, threads: int) -> str:
    parts = [PREAMBLE.format(host=host)]
    setup = []
    for use, share in SHARES.items():
        setup.append(f"    new {use} = directors.round_robin();")
        for index, origin in enumerate(origins):
            name = f"{use}_{index}"
            parts.append(_backend(name, origin, host, int(threads * share / len(origins))))
            setup.append(f"    {use}.add_backend({name});")
    parts.append("\nsub vcl_init {\n" + "\n".join(setup) + "\n}\n")
    return "".join(parts) + _bodies(int(threads * BODIES_SHARE))


def _backend(name: str, origin: Origin, host: str, connections: int) -> str:
    # A connection within a data centre takes less than a millisecond; one to another continent, with TLS, 300 ms.
    connect = "2s" if origin.is_remote else "500ms"
    return BACKEND.format(
        name=name, address=origin.address, port=origin.port, host=host, connect=connect, connections=connections
    )


def _bodies(limit: int) -> str:
    bucket = f'"bodies", {max(1, limit)}, 1h'
    return f"""
sub edge_body_begin {{
    if (vsthrottle.is_denied({bucket})) {{
        return (synth(503));
    }}
    set req.http.X-Body = "1";
}}

sub edge_body_end {{
    if (req.http.X-Body) {{
        unset req.http.X-Body;
        vsthrottle.return_token({bucket});
    }}
}}
"""


def _route_sub() -> str:
    """What becomes of a path, told in X-Route; none for a path that is not listed."""
    groups = groupby(sorted(ROUTES, key=_treatment), key=_treatment)
    blocks = " els".join(_block(tuple(routes)) for _, routes in groups)
    return f"""\
sub edge_route {{
    unset req.http.X-Route;
    {blocks}
}}
"""


def _treatment(route: Route) -> tuple[str, tuple[str, ...], int]:
    return route.handling, route.methods, route.stale_s


def _block(routes: tuple[Route, ...]) -> str:
    handling, methods, stale_s = _treatment(routes[0])
    allowed = (*methods, "OPTIONS")
    lines = [
        f'set req.http.X-Route = "{handling}";',
        f'set req.http.X-Allow = "{", ".join(allowed)}";',
        f'if (req.method !~ "^(?:{"|".join(allowed)})$") {{ return (synth(405)); }}',
    ]
    if handling in (Handling.STORED, Handling.HELD):
        lines.append(f"set req.grace = {stale_s}s;")
    return f'if (req.http.X-Path ~ "{pattern_of(routes)}") {{\n        ' + "\n        ".join(lines) + "\n    }"


def _query_sub() -> str:
    """Leaves of X-Query only the parameters that are part of the key, each with an & before it."""
    listed = [route for route in ROUTES if route.parameters]
    blocks = " els".join(
        f'if (req.http.X-Path ~ "^{route.pattern}$") {{\n'
        f'        set req.http.X-Query = regsuball(req.http.X-Query, "{_others(route.parameters)}", "");\n    }}'
        for route in listed
    )
    return f"""
sub edge_query {{
    {blocks} else {{
        unset req.http.X-Query;
    }}
}}
"""


def _others(parameters: Iterable[str]) -> str:
    return f"&(?!(?:{'|'.join(parameters)})=)[^&]*"
