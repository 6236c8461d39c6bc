"""Which URLs we are willing to post to."""

from __future__ import annotations

import pytest

from db.domain import is_push_endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://127.0.0.1/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://fcm.googleapis.com@evil.example/x",
        "https://evil.example\\@fcm.googleapis.com/x",
        "https://fcm.googleapis.com/a\tb",
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com/a\r\nx: y",
        "https://fcm.googleapis.com/ü",
        "https://google.com/x",
        "file:///etc/passwd",
        "",
    ],
)
def test_only_push_services_are_called(endpoint: str) -> None:
    assert not is_push_endpoint(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc",
        "https://jmt17.google.com/fcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/abc",
        "https://db5p.notify.windows.com/w/?token=abc%2b~",
    ],
)
def test_the_services_of_the_browsers_are_known(endpoint: str) -> None:
    assert is_push_endpoint(endpoint)
