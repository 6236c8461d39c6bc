"""Settings: each variable read, each wrong value named, no secret shown."""

from __future__ import annotations

import dataclasses

import pytest

from config import Settings, new_secret
from db.errors import Refused

KEY = new_secret()
# Every field, a text for its variable, and what that is read as.
GIVEN = {
    "redis_url": ("rediss://:pass@redis.example:6380/1", "rediss://:pass@redis.example:6380/1"),
    "rq_redis_url": ("redis://127.0.0.1:6379/2", "redis://127.0.0.1:6379/2"),
    "database_url": ("postgres://u:p@db.example/scores", "postgres://u:p@db.example/scores"),
    "var_dir": ("elsewhere", "elsewhere"),
    "port": ("8123", 8123),
    "host": ("127.0.0.1", "127.0.0.1"),
    "web_concurrency": ("3", 3),
    "worker_connections": ("500", 500),
    "worker_processes": ("4", 4),
    "ingest_shards": ("2", 2),
    "ingest_secret_generic": (KEY, KEY),
    "ingest_secret_sportradar": ("sixteen-letters!", "sixteen-letters!"),
    "ingest_secret_statsperform": ("sixteen-letters?", "sixteen-letters?"),
    "ingest_backlog": ("10", 10),
    "cdn": ("null", "null"),
    "demo": ("0", False),
    "demo_speed": ("2.5", 2.5),
    "log_level": ("warning", "warning"),
}


def read(**variables: str) -> Settings:
    return Settings.from_env({name.upper(): text for name, text in variables.items()})


@pytest.mark.parametrize("name", GIVEN)
def test_a_variable_is_read(name: str) -> None:
    text, value = GIVEN[name]
    assert getattr(read(**{name: text}), name) == value


def test_this_table_knows_every_setting() -> None:
    assert set(GIVEN) == {field.name for field in dataclasses.fields(Settings)}


def test_an_empty_variable_is_an_unset_one() -> None:
    assert read(port="", demo="", redis_url="") == Settings()


@pytest.mark.parametrize("word", ["1", "true", "YES", " on "])
def test_a_flag_has_several_words(word: str) -> None:
    assert read(demo=word).demo is True


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("port", "eighty"),
        ("port", "0"),
        ("port", "70000"),
        ("web_concurrency", "-1"),
        ("ingest_shards", "1.5"),
        ("demo", "maybe"),
        ("demo_speed", "fast"),
        ("demo_speed", "0"),
        ("demo_speed", "nan"),
        ("demo_speed", "inf"),
        ("log_level", "LOUD"),
        ("redis_url", "http://redis.example"),
        ("rq_redis_url", "redis.example:6379"),
        ("database_url", "mysql://db.example/scores"),
        ("ingest_secret_generic", "whsec_short"),
        ("ingest_secret_generic", "not base64 at all: äöü"),
        ("ingest_secret_sportradar", "fifteen-letters"),
        ("ingest_secret_statsperform", "x"),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(name: str, text: str) -> None:
    with pytest.raises(Refused, match=name.upper()) as told:
        read(**{name: text})
    if "secret" in name or "url" in name:
        assert text not in told.value.message


def test_no_secret_and_no_password_is_shown() -> None:
    told = {name: GIVEN[name][0] for name in GIVEN if "secret" in name or "url" in name}
    shown = repr(read(**told))
    assert [name for name, text in told.items() if text in shown] == []


def test_a_door_without_a_secret_is_shut() -> None:
    settings = read(ingest_secret_sportradar="sixteen-letters!")
    secrets = [settings.ingest_secret(name) for name in ("sportradar", "generic", "nobody")]
    assert secrets == ["sixteen-letters!", "", ""]


@pytest.mark.parametrize(
    ("url", "sql"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("sqlite:///a.db", "sqlite:///a.db"),
    ],
)
def test_heroku_s_database_url_is_put_into_sqlalchemy_s_words(url: str, sql: str) -> None:
    assert read(database_url=url).sql_url == sql


def test_jobs_use_the_live_state_s_redis_unless_told_otherwise() -> None:
    assert read(redis_url="redis://a/0").queue_url == "redis://a/0"
    assert read(redis_url="redis://a/0", rq_redis_url="redis://b/0").queue_url == "redis://b/0"
