"""The page's files: compressed once for who takes it, for ever by their own name, for a moment by another."""

from __future__ import annotations

import gzip
import json

import pytest

from api.web.assets import FOLDER, url
from tests.api.conftest import Site

GZIP = {"Accept_Encoding": "gzip"}


@pytest.mark.parametrize("name", ["style.css", "scores.js", "favicon.svg", "words-de.json"])
def test_text_is_compressed_for_who_takes_it(site: Site, name: str) -> None:
    plain, compressed = site.get(url(name)), site.get(url(name), **GZIP)
    assert plain.get_data() == (FOLDER / name).read_bytes() == gzip.decompress(compressed.get_data())
    assert "Content-Encoding" not in plain.headers
    assert len(compressed.get_data()) < len(plain.get_data()) / 2 or name == "favicon.svg"
    for answer in (plain, compressed):
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_picture_is_sent_as_it_is(site: Site) -> None:
    answer = site.get(url("icon-180.png"), **GZIP)
    assert answer.get_data() == (FOLDER / "icon-180.png").read_bytes()
    assert answer.headers["Content-Type"] == "image/png"
    assert not {"Content-Encoding", "Vary"} & set(answer.headers.keys())


def test_a_file_is_kept_for_ever_by_its_own_name_and_for_a_moment_by_an_old_one(site: Site) -> None:
    lasting, old = site.get(url("style.css")), site.get("/static/000000000000/style.css")
    assert lasting.get_data() == old.get_data()
    assert lasting.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in old.headers["Cache-Control"]
    assert site.get(url("style.css"), If_None_Match=lasting.headers["ETag"]).status_code == 304


def test_a_version_of_the_client_is_kept_for_ever_by_the_digests_that_pages_have_and_by_no_other(site: Site) -> None:
    """Or anybody could fill an edge with copies of it that stay for a year."""
    name = f"scores-{json.loads((FOLDER / 'package.json').read_text())['version']}.js"
    lasting = [site.get(path) for path in (url(name), f"/static/latest/{name}")]
    made_up = site.get(f"/static/000000000000/{name}")
    assert {answer.headers["Cache-Control"] for answer in lasting} == {"public, max-age=31536000, immutable"}
    assert "immutable" not in made_up.headers["Cache-Control"]
    assert {answer.get_data() for answer in (*lasting, made_up)} == {(FOLDER / "scores.js").read_bytes()}
