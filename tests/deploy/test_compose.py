"""deploy/compose.yaml: valid by the Compose specification, its settings are ours, and nothing in it is a secret."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest
import yaml

from config import Settings
from tests.support.paths import ROOT

FILE = ROOT / "deploy" / "compose.yaml"


def interpolated(value: Any) -> Any:
    """As `docker compose config`: each variable is its default, or what has to be given."""
    if isinstance(value, dict):
        return {name: interpolated(part) for name, part in value.items()}
    if isinstance(value, list):
        return [interpolated(part) for part in value]
    if not isinstance(value, str):
        return value
    return re.sub(
        r"\$\{\w+:(?:-([^}]*)|\?[^}]*)\}", lambda variable: variable[1] if ":-" in variable[0] else "given", value
    )


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(interpolated(yaml.safe_load(FILE.read_text())))


def test_it_is_valid(compose: dict[str, Any]) -> None:
    # Takes a sixth of a second, which every process that only collects would spend.
    from compose_spec import PyCompose

    PyCompose.from_yaml(yaml.safe_dump(compose)).validate()


def test_it_is_the_whole(compose: dict[str, Any]) -> None:
    assert {"redis", "postgres", "migrate", "web", "worker", "clock", "feed", "varnish"} <= set(compose["services"])


def test_its_settings_are_ours(compose: dict[str, Any]) -> None:
    names = {field.name.upper() for field in fields(Settings)}
    for name in ("web", "worker", "clock", "feed", "migrate", "demo"):
        environment = compose["services"][name]["environment"]
        assert set(environment) <= names
        Settings.from_env(environment | {"INGEST_SECRET_GENERIC": "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"})


def test_a_secret_comes_from_outside_and_is_needed() -> None:
    text = FILE.read_text()
    for name in ("POSTGRES_PASSWORD", "INGEST_SECRET_GENERIC", "EDGE_PURGE_SECRET"):
        values = re.findall(rf"^ *{name}: (.*)$", text, re.M)
        assert values
        assert all(value == f"${{{name}:?run make compose}}" for value in values)


def test_a_hold_ends_before_its_process_is_killed(compose: dict[str, Any]) -> None:
    """gunicorn gives up after graceful_timeout."""
    gives_up = int(re.search(r"graceful_timeout = (\d+)", (ROOT / "gunicorn.conf.py").read_text())[1])  # type: ignore[index]
    for name in ("web", "worker", "clock", "feed"):
        assert int(compose["services"][name]["stop_grace_period"].rstrip("s")) >= gives_up + 5


def test_only_varnish_is_reached_from_outside(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["varnish"]
