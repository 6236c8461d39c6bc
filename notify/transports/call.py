"""One request by itself, on a connection of its own: for what is asked a few times an hour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pycurl

from notify.transports.exchange import ANSWER_S, CONNECT_S, Reply

# A list of 10,000 channels, all an app has, is half a megabyte.
CALL_BYTES_MAX = 1024 * 1024


def call(method: str, url: str, headers: Sequence[str], body: bytes = b"", *, ca: str) -> tuple[Reply, dict[str, str]]:
    """What came back, and its headers in lower case. It takes ANSWER_S at most, however slowly an answer comes.

    headers: `name: value` each. ca: a file of certificates to trust.
    """
    answer, fields = io.BytesIO(), dict[str, str]()
    easy: Any = pycurl.Curl()
    easy.setopt(pycurl.URL, url)
    easy.setopt(pycurl.CUSTOMREQUEST, method)
    easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
    easy.setopt(pycurl.CAINFO, ca)
    easy.setopt(pycurl.NOSIGNAL, 1)
    easy.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_S * 1000))
    easy.setopt(pycurl.TIMEOUT_MS, int(ANSWER_S * 1000))
    easy.setopt(pycurl.MAXFILESIZE, CALL_BYTES_MAX)
    easy.setopt(pycurl.HTTPHEADER, list(headers))
    if body:
        easy.setopt(pycurl.POSTFIELDS, body)
    easy.setopt(pycurl.WRITEFUNCTION, answer.write)
    easy.setopt(pycurl.HEADERFUNCTION, lambda line: _read_header(fields, line))
    try:
        easy.perform()
        status, retry_after_s = easy.getinfo(pycurl.RESPONSE_CODE), float(easy.getinfo(pycurl.RETRY_AFTER))
        return Reply(status, answer.getvalue(), "", retry_after_s), fields
    except pycurl.error as error:
        return Reply(0, error=f"curl_{error.args[0]}"), fields
    finally:
        easy.close()


def _read_header(fields: dict[str, str], line: bytes) -> None:
    name, _, value = line.decode("latin-1").partition(":")
    if value:
        fields[name.lower()] = value.strip()
