"""The page as an app: its manifest, its service worker, and the key for alerts to browsers."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from urllib.parse import urlsplit

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask.testing import FlaskClient

from api import create_app
from config import Settings
from tests.support.paths import ROOT

KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

# Of W3C "Web Application Manifest" and its "Manifest App Info", the members that we have; a slip of the pen is refused.
PICTURE = {
    "type": "object",
    "required": ["src", "sizes", "type"],
    "additionalProperties": False,
    "properties": {
        "src": {"type": "string", "pattern": "^/static/"},
        "sizes": {"type": "string", "pattern": r"^(any|\d+x\d+)$"},
        "type": {"enum": ["image/png", "image/svg+xml"]},
        "purpose": {"enum": ["any", "maskable", "monochrome"]},
    },
}
COLOUR = {"type": "string", "pattern": "^#[0-9a-f]{6}$"}
TEXT = {"type": "string", "minLength": 1}
MANIFEST = {
    "type": "object",
    "required": ["id", "name", "short_name", "start_url", "scope", "display", "icons"],
    "additionalProperties": False,
    "properties": {
        "id": {"const": "/"},
        "name": TEXT,
        # Launchers show about twelve letters (Chrome, "short_name").
        "short_name": {"type": "string", "minLength": 1, "maxLength": 12},
        "description": TEXT,
        "lang": {"type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$"},
        "start_url": {"type": "string", "pattern": "^/"},
        "scope": {"const": "/"},
        "display": {"enum": ["fullscreen", "standalone", "minimal-ui", "browser"]},
        "background_color": COLOUR,
        "theme_color": COLOUR,
        "categories": {"type": "array", "items": TEXT},
        "icons": {"type": "array", "items": PICTURE},
    },
}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(vapid_key=PEM, vapid_contact="push@example.com")).test_client()


def test_the_manifest_is_one_and_its_icons_are_what_it_says(client: FlaskClient) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer.content_type == "application/manifest+json"
    document = json.loads(answer.data)
    jsonschema.Draft202012Validator(MANIFEST).validate(document)
    # What Chrome asks of a page that can be installed.
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in document["icons"]}
    assert "maskable" in {icon["purpose"] for icon in document["icons"]}
    for icon in document["icons"]:
        picture = client.get(icon["src"], buffered=True)
        assert (picture.status_code, picture.content_type.split(";")[0]) == (200, icon["type"])
        if icon["type"] == "image/png":
            width, height = (int.from_bytes(picture.data[at : at + 4], "big") for at in (16, 20))
            assert f"{width}x{height}" == icon["sizes"]


def test_the_worker_is_served_at_the_root_with_its_own_policy_and_names_files_that_exist(client: FlaskClient) -> None:
    answer = client.get("/service-worker.js")
    assert answer.content_type.startswith("text/javascript")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    # A browser that kept it would miss the next release (Service Workers, "Update").
    assert "max-age=0" in answer.headers["Cache-Control"]
    first, _, rest = answer.get_data(as_text=True).partition("\n")
    page = json.loads(first.removeprefix("self.PAGE = ").removesuffix(";"))
    assert rest == (ROOT / "api" / "static" / "worker" / "service_worker.js").read_text()
    named = {urlsplit(path).path.rsplit("/", 1)[1] for path in page["files"]}
    assert {"app.js", "yours.js", "sheet.js", "style.css", "yours.css"} <= named
    for path in (*page["files"], page["icon"], page["badge"]):
        assert page["digest"] in path
        assert client.get(path, buffered=True).status_code == 200


def test_each_module_that_the_page_may_load_is_kept_by_the_worker(client: FlaskClient) -> None:
    text = client.get("/service-worker.js").get_data(as_text=True)
    static = ROOT / "api" / "static"
    imported = {
        name
        for path in static.glob("*.js")
        for name in re.findall(r'(?:from|import\() ?"\./([\w.-]+)"', path.read_text())
        if (static / name).is_file() and "-" not in name
    }
    assert {name for name in imported if f"/{name}" not in text} == set()


def test_the_key_is_the_public_half_as_browsers_take_it(client: FlaskClient) -> None:
    answer = client.get("/api/web-push")
    point = urlsafe_b64decode(answer.get_json()["public_key"] + "=")
    assert (len(point), point[0]) == (65, 4)
    assert ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point).public_numbers() == (
        KEY.public_key().public_numbers()
    )
    assert "public" in answer.headers["Cache-Control"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "PRIVATE" not in answer.get_data(as_text=True)


def test_without_a_key_there_are_no_alerts_to_browsers() -> None:
    assert create_app(Settings()).test_client().get("/api/web-push").get_json() == {"public_key": None}
