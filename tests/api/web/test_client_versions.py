"""The browser client as others import it: by a version that never changes, with the digest that the documents give."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from tests.api.conftest import Site
from tests.support.paths import ROOT

PACKAGE = json.loads((ROOT / "api/static/package.json").read_text())
DOCUMENT = (ROOT / "docs/client.md").read_text()
VERSIONS = dict(re.findall(r"\| `(\d+\.\d+\.\d+)` \| `sha384-([^`]+)` \|", DOCUMENT))


def test_each_version_has_the_bytes_that_the_documents_promise(site: Site) -> None:
    """A released version never changes. Keep it as api/static/scores-VERSION.js, give package.json the next version and
    docs/client.md its row."""
    assert PACKAGE["version"] in VERSIONS
    for version, promised in VERSIONS.items():
        answer = site.get(f"/static/latest/scores-{version}.js")
        digest = base64.b64encode(hashlib.sha384(answer.get_data()).digest()).decode()
        assert digest == promised, f"scores.js of {version} is sha384-{digest}"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        answer.close()
    assert site.get("/static/latest/scores-0.0.1.js").status_code == 404


def test_the_client_is_one_file_without_imports() -> None:
    """So that one digest is enough."""
    assert not re.search(
        r"^import\b|\bimport\((?!\"\./bodies\.js\"\)\.)", (ROOT / "api/static/scores.js").read_text(), re.M
    )
    assert {"scores.js", "types"} == set(PACKAGE["files"])
