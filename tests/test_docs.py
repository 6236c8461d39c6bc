"""The documents against the code: what they name exists, what exists they name, and their examples hold."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from pydantic import BaseModel
from standardwebhooks import Webhook

from api import create_app
from api.web import competition_schemas, errors, schemas
from cdn import headers
from config import Settings, new_secret
from db.domain import EVENT_TYPES, Phase, Status, phase_of
from feeds.generic import parse as generic
from feeds.generic import vocabulary
from tests.support.paths import ROOT

DOCS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PACKAGES = ("api", "cdn", "db", "dev", "feeds", "notify", "pictures", "workers")
SOURCES = {".py", ".lua", ".js", ".mjs", ".css", ".html", ".vcl", ".vtc", ".sh", ".txt", ".toml", ".json", ""}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def doc(name: str) -> str:
    return (ROOT / name).read_text()


def section(text: str, heading: str) -> str:
    """From a heading to the next of its rank or above."""
    match = re.search(rf"^(#+) {re.escape(heading)}$", text, re.M)
    assert match, f"there is no heading {heading!r}"
    rest = text[match.end() :]
    end = re.search(rf"^#{{1,{len(match[1])}}} ", rest, re.M)
    return rest[: end.start()] if end else rest


def rows(text: str) -> list[list[str]]:
    """The cells of its tables' rows, without heads and rules."""
    cells = [[cell.strip() for cell in line.strip("|").split(" |")] for line in text.splitlines() if line[:1] == "|"]
    rules = {i for i, row in enumerate(cells) if set("".join(row)) <= set("-: |")}
    return [row for i, row in enumerate(cells) if i not in rules and i + 1 not in rules]


FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def fenced(text: str, *languages: str) -> list[str]:
    return [block for language, block in FENCED.findall(text) if language in languages]


def code(text: str) -> list[str]:
    """Its code spans."""
    return re.findall(r"`([^`\n]+)`", FENCED.sub("", text))


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings())


def shown(default: object) -> str:
    """A default as one would set it in the environment."""
    if isinstance(default, bool):
        return f"`{int(default)}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`" if default != "" else ""


def test_the_settings_table_is_the_settings() -> None:
    documented = [(row[0], row[1]) for row in rows(section(doc("README.md"), "Settings"))]
    assert documented == [(f"`{field.name.upper()}`", shown(field.default)) for field in fields(Settings)]


def test_every_route_is_in_the_protocol_and_the_protocol_has_no_other(app: Flask) -> None:
    served = {
        method + " " + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & METHODS
    }
    documented = {span for span in code(doc("docs/protocol.md")) if re.match(r"[A-Z]+ /", span)}
    assert documented == served


def test_every_refusal_is_told_with_its_status() -> None:
    documented = {code(row[1])[0]: int(row[0]) for row in rows(section(doc("docs/protocol.md"), "Errors"))}
    assert {word: documented.get(word) for word in errors.STATUS} == errors.STATUS


def test_the_ways_through_the_code_pass_functions_that_exist() -> None:
    file, missing = "", []
    for span in code(section(doc("docs/architecture.md"), "Three ways through the code")):
        if span.endswith(".py"):
            file = span
        elif not span.endswith(".lua") and span not in functions_of(file):
            missing.append(f"{file}: {span}")
    assert missing == []


def functions_of(file: str) -> set[str]:
    """Those of its classes with the class before them."""
    tree = ast.parse(doc(file))
    scopes = [("", tree), *((f"{node.name}.", node) for node in tree.body if isinstance(node, ast.ClassDef))]
    return {prefix + node.name for prefix, scope in scopes for node in scope.body if isinstance(node, ast.FunctionDef)}


def test_the_lifetimes_told_are_the_policies_of_the_code() -> None:
    policies = {
        (policy.browser, policy.edge, policy.swr, policy.sie)
        for policy in vars(headers).values()
        if isinstance(policy, headers.Policy)
    }
    documented = {
        tuple(int(cell or 0) for cell in row[1:5])
        for row in rows(section(doc("docs/architecture.md"), "At the edge"))
        if row[1].isdecimal()
    }
    assert documented == policies


def heading_anchors(path: Path) -> set[str]:
    """As GitHub makes them: lower case, punctuation gone, spaces to hyphens."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"https?:", target):
            continue
        file, _, anchor = target.partition("#")
        destination = (path.parent / file).resolve() if file else path
        assert destination.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in heading_anchors(destination), f"{target}: no such heading"


# A file or folder of the repository in a code span; NAME in capitals stands for one that the reader adds.
IN_REPOSITORY = re.compile(
    r"(?:api|bench|cdn|db|dev|docs|feeds|notify|tests|workers)/[a-z0-9_./*-]*|[a-z_-]+\.(?:py|json|toml)"
)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_names_exists(path: Path) -> None:
    named = {span.rstrip("/") for span in code(path.read_text()) if IN_REPOSITORY.fullmatch(span)}
    missing = {span for span in named if not any(ROOT.glob(span)) and not any(ROOT.glob(f"{span}-*.md"))}
    assert missing == set()


def sources() -> Iterator[Path]:
    """Everything written by hand but the documents, and this file."""
    for path in sorted(ROOT.rglob("*")):
        hidden = any(part.startswith(".") or part in ("var", "node_modules") for part in path.relative_to(ROOT).parts)
        if path.is_file() and not hidden and path.suffix in SOURCES and path != Path(__file__):
            yield path


def test_every_reference_from_the_code_to_a_document_leads_somewhere() -> None:
    for path in sources():
        for target, heading in re.findall(
            r'(?<![\w./])(docs/[\w./-]*\w)(?:, "([^"]+)")?', path.read_text(errors="replace")
        ):
            where = f"{path.relative_to(ROOT)} refers to {target}"
            # A decision is referred to by its number.
            documents = [ROOT / target] if (ROOT / target).exists() else sorted(ROOT.glob(f"{target}-*.md"))
            assert len(documents) == 1, where
            assert not heading or section(documents[0].read_text(), heading), where


def test_every_make_target_named_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", doc("Makefile"), re.M))
    named = {
        target
        for path in DOCS
        for block in [*code(path.read_text()), *fenced(path.read_text(), "sh")]
        for target in re.findall(r"\bmake (?:-s )?([a-z][a-z-]*)", block)
    }
    assert named - targets == set()
    assert {"run", "test", "replay"} <= named


def log_words() -> dict[str, set[str]]:
    """The event word of every log line in the code, and its levels."""
    levels = defaultdict(set)
    for path in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "set_aside_on_bug":
                assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}: it begins with an event word"
                levels[str(node.args[0].value).split()[0]].add("ERROR")
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = node.func.value
            if not (isinstance(owner, ast.Name) and owner.id == "logger" and node.args):
                continue
            first = node.args[0]
            if path == ROOT / "db/bugs.py":
                # Its line is its callers', above.
                continue
            assert isinstance(first, ast.Constant), f"{path}:{node.lineno}: a log line begins with a fixed event word"
            level = {"EXCEPTION": "ERROR"}.get(node.func.attr.upper(), node.func.attr.upper())
            levels[str(first.value).split()[0]].add(level)
    return dict(levels)


def test_the_runbook_tells_of_every_log_event_at_its_level_and_of_no_other() -> None:
    documented = {
        code(row[0])[0]: set(row[1].split(", ")) for row in rows(section(doc("docs/runbook.md"), "Event words"))
    }
    assert documented == log_words()


def test_every_test_that_truth_names_exists() -> None:
    named = set(re.findall(r"`(test_[a-z_]+)`", (ROOT / "docs/truth.md").read_text()))
    code = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert named
    assert {name for name in named if f"def {name}(" not in code} == set()


def test_the_words_are_the_vocabulary_of_the_code() -> None:
    text, phase, documented = doc("docs/words.md"), "", {}
    for row in rows(section(text, "Status and phase")):
        phase = code(row[0])[0] if row[0] else phase
        documented |= {Status(word): Phase(phase) for word in code(row[1])}
    assert documented == {status: phase_of(status) for status in Status}
    types = {word for row in rows(section(text, "Event types")) for word in code(row[0])}
    assert types == EVENT_TYPES


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("Errors", schemas.Error),
        ("Refused in part", schemas.Accepted),
        ("`GET /api/score/{match_id}`", schemas.MatchScore),
        ("`GET /api/matches/{match_id}`", schemas.Metadata),
        ("`GET /api/matches/{match_id}/events`", schemas.Timeline),
        ("`GET /api/matches/{match_id}/head-to-head`", competition_schemas.HeadToHead),
        ("`GET /api/competitions/{competition_id}/table`", competition_schemas.CompetitionTable),
        ("`GET /api/competitions/{competition_id}/scorers`", competition_schemas.TopScorers),
        ("`GET /api/teams/{team_id}`", competition_schemas.TeamPage),
    ],
)
def test_the_examples_of_bodies_are_bodies_of_the_contract(heading: str, model: type[BaseModel]) -> None:
    model.model_validate_json(fenced(section(doc("docs/protocol.md"), heading), "json")[0])


def test_the_words_of_senders_mean_what_the_words_say() -> None:
    text = section(doc("docs/words.md"), "Senders' words")
    types, statuses, decisions = (
        tables(text)[heading] for heading in ("Type", "Status", "`finished`, with `decided_by`")
    )
    assert {word: " ".join(others) for word, others in types.items()} == vocabulary.TYPE_SYNONYMS
    assert {word: " ".join(others) for word, others in decisions.items()} == vocabulary.DECISION_SYNONYMS
    for status, others in statuses.items():
        assert {vocabulary.standing_of(other) for other in others} == {(Status(status), None)}
    documented = {other for others in statuses.values() for other in others}
    assert {other for others in vocabulary.STATUS_SYNONYMS.values() for other in others.split()} <= documented


def tables(text: str) -> dict[str, dict[str, list[str]]]:
    """Tables of two columns by the heading of the first: its word, and the words beside it."""
    result: dict[str, dict[str, list[str]]] = {}
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        heading, _, *lines = table.splitlines()
        cells = [line.strip("| ").split(" | ") for line in lines]
        result[heading.strip("| ").split(" | ")[0]] = {code(word)[0]: code(others) for word, others in cells}
    return result


def signing_example() -> tuple[str, str]:
    """The shell recipe of the protocol, and what it says that it prints."""
    text = section(doc("docs/protocol.md"), "Signed: `generic`")
    recipe, printed = fenced(text, "sh", "text")
    return recipe, printed.strip()


def test_the_signature_of_the_example_is_the_one_the_door_expects() -> None:
    recipe, printed = signing_example()
    variables = dict(re.findall(r"^(\w+)='?([^'\n]*)'?$", recipe, re.M))
    at = datetime.fromtimestamp(int(variables["timestamp"]), UTC)
    assert Webhook(variables["secret"]).sign(variables["id"], at, variables["body"]) == f"v1,{printed}"
    assert generic.parse(variables["body"].encode(), received_at=int(variables["timestamp"]) * 1000)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl: apt-get install openssl")
def test_the_shell_recipe_prints_that_signature() -> None:
    recipe, printed = signing_example()
    done = subprocess.run(["sh", "-eu", "-c", recipe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == printed


def test_the_sign_command_prints_headers_that_hold(tmp_path: Path) -> None:
    secret, body = new_secret(), b'{"events": [], "note": "3\xe2\x80\x933"}'
    (tmp_path / "body.json").write_bytes(body)
    runner = create_app(Settings(ingest_secret_generic=secret)).test_cli_runner()
    done = runner.invoke(args=["sign", str(tmp_path / "body.json")])
    signed = dict(line.split(": ", 1) for line in done.output.splitlines())
    Webhook(secret).verify(body, signed)
    again = runner.invoke(args=["sign", str(tmp_path / "body.json")])
    assert signed["webhook-id"] not in again.output


def test_the_sign_command_signs_by_the_new_one_of_two_secrets(tmp_path: Path) -> None:
    # Of 24 bytes: base64 ends without "=", at which a decoder would stop.
    new, old, body = "whsec_" + "bmV3" * 8, "whsec_" + "b2xk" * 8, b'{"events": []}'
    (tmp_path / "body.json").write_bytes(body)
    runner = create_app(Settings(ingest_secret_generic=f"{new} {old}")).test_cli_runner()
    done = runner.invoke(args=["sign", str(tmp_path / "body.json")])
    Webhook(new).verify(body, dict(line.split(": ", 1) for line in done.output.splitlines()))


def test_the_sign_command_says_that_a_body_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_bytes(b'{"note": "\xff"}')
    runner = create_app(Settings(ingest_secret_generic=new_secret())).test_cli_runner()
    done = runner.invoke(args=["sign", str(tmp_path / "body.json")])
    assert (done.exit_code, done.output) == (1, "Error: BODY is not UTF-8, so it is not JSON.\n")


def test_the_sign_command_says_what_is_missing_without_a_secret(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text("{}")
    done = create_app(Settings()).test_cli_runner().invoke(args=["sign", str(tmp_path / "body.json")])
    assert done.exit_code == 1
    assert "INGEST_SECRET_GENERIC is not set" in done.output


def test_the_app_manifest_asks_for_settings_that_exist() -> None:
    settings = set(json.loads(doc("app.json"))["env"])
    assert settings <= {field.name.upper() for field in fields(Settings)}


def test_every_process_of_the_procfile_is_scaled_in_the_deploy_section() -> None:
    processes = set(re.findall(r"^(\w+):", doc("Procfile"), re.M)) - {"release"}
    scaled = re.search(r"heroku ps:scale (.*)", section(doc("README.md"), "Deploy to Heroku"))
    assert scaled
    assert set(re.findall(r"(\w+)=", scaled[1])) == processes
    assert set(json.loads(doc("app.json"))["formation"]) == processes
