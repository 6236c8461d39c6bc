"""The page's words: every language has each of them, and the modules ask for no other."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest

from api.web.html import LANGUAGES as LANGUAGES_OF_THE_PAGE
from db.domain import LANGUAGES
from tests.support.paths import ROOT

STATIC = ROOT / "api" / "static"
FILES = sorted(STATIC.glob("words-*.json"))
FIELD = re.compile(r"{\w+}")


def words(path: Any) -> dict[str, str]:
    loaded: dict[str, str] = json.loads(path.read_text())
    return loaded


def test_there_is_a_file_for_every_language_of_the_alerts() -> None:
    # Of Spanish one serves all who read it.
    wanted = {language.replace("_", "-") for language in LANGUAGES} - {"en", "es-419"}
    assert {path.stem.removeprefix("words-") for path in FILES} == wanted
    assert set(LANGUAGES_OF_THE_PAGE) == wanted | {"en"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_language_has_every_text_with_its_values(path: Any) -> None:
    first, these = words(FILES[0]), words(path)
    assert these.keys() == first.keys()
    assert [text for text in these if set(FIELD.findall(text)) != set(FIELD.findall(these[text]))] == []
    assert all(these.values())


def test_every_text_that_the_modules_ask_for_is_there() -> None:
    asked = set[str]()
    for path in STATIC.glob("*.js"):
        asked |= set(re.findall(r'\bt\(\s*"([^"]+)"', path.read_text()))
    # Tables of words, which are translated where they are used.
    for name, table in (("reasons", "KINDS"), ("sheet", "WHY_NOT")):
        source = (STATIC / f"{name}.js").read_text().split(f"const {table} = {{")[1].split("};")[0]
        asked |= set(re.findall(r': "([^"]+)"', source))
    for name in ("clock", "scoreline", "timeline"):
        # Tables of the server's twins, which tests/api/pages/test_twins.py compares with the modules.
        tree = ast.parse((ROOT / f"api/pages/{name}.py").read_text())
        tables = [node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)]
        texts = [text for table in tables for value in table.values for text in strings(value)]
        asked |= {text.strip() for text in texts if not re.fullmatch("[A-Z]", text.strip())}
    assert sorted(asked - {"", *words(FILES[0])}) == []


def strings(node: ast.expr) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
