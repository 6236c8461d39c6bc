"""Fastly's VCL, as far as vcl_recv says what becomes of a request: its chains of `if` on the path and the query."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlencode

from tests.support.walk import KEEP, PASS, REFUSE, Step, Treatment

BLOCK = re.compile(
    r'if \(var\.path ~ \{"(?P<path>.*?)"\}\) \{\s*set req\.http\.X-Route = "(?P<route>\w+)";\s*'
    r'if \(req\.method !~ "(?P<methods>[^"]*)"\) \{ error 605; \}(?:\s*set var\.path = "(?P<fetched>[^"]*)";)?\s*\}'
)
QUERY = re.compile(r'if \(var\.path ~ \{"(?P<path>.*?)"\}\) \{\s*set req\.url = querystring\.sort\((?P<names>.*)\);')


def treat(text: str, steps: list[Step], _host: str) -> list[Treatment]:
    receive = text[text.index("sub vcl_recv") : text.index("sub vcl_hash")]
    blocks, queries = list(BLOCK.finditer(receive)), list(QUERY.finditer(receive))
    assert receive.count("error 605") == len(blocks)
    assert receive.count("querystring.sort") == len(queries)
    return [_treat(blocks, queries, step) for step in steps]


def _treat(blocks: list[re.Match[str]], queries: list[re.Match[str]], step: Step) -> Treatment:
    raw, _, query = step.target.partition("?")
    path = re.sub("%3A", ":", raw, flags=re.IGNORECASE)
    block = next((block for block in blocks if re.search(block["path"], path)), None)
    if block is None or not re.search(block["methods"], step.method):
        return Treatment(REFUSE)
    if block["route"] in ("passed", "stream", "socket") or step.method == "OPTIONS":
        return Treatment(PASS, step.target)
    path = block["fetched"] or path
    kept = next((rule for rule in queries if re.search(rule["path"], path)), None)
    names = re.findall(r'"(\w+)"', kept["names"]) if kept else []
    # filter_except keeps a parameter as it was sent; an encoded name is another one.
    forwarded = urlencode(sorted((name, value) for name, value in parse_qsl(unquote(query)) if name in names))
    return Treatment(KEEP, path + (f"?{forwarded}" if forwarded else ""))
