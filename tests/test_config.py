"""Settings: each variable read, each wrong value named, no secret shown."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from config import Settings, new_secret, pem
from db.domain.errors import Refused
from tests.conftest import ROOT
from tests.support.rsa_key import RSA_KEY

KEY = new_secret()


def written(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> str:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


def account(**changed: object) -> str:
    fields = {"type": "service_account", "project_id": "p", "private_key": RSA, "client_email": "e", "token_uri": "u"}
    return json.dumps(fields | changed)


P256 = ec.generate_private_key(ec.SECP256R1())
PEM = written(P256)
RSA = written(RSA_KEY)
ACCOUNT = account()
# What APNs and VAPID cannot sign with.
NO_P256 = {
    "no key": "AuthKey.p8",
    "the mark of one": "-----BEGIN PRIVATE KEY-----",
    "a cut one": PEM[:-60],
    "a public one": P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    "RSA": RSA,
    "another curve": written(ec.generate_private_key(ec.SECP384R1())),
    "one with a password": written(P256, b"password"),
}
NO_ACCOUNT = {
    "a path": "service-account.json",
    "a list": "[]",
    "no key": '{"type": "service_account", "project_id": "p"}',
    "another type": account(type="authorized_user"),
    "a cut key": account(private_key=RSA[:-60]),
    "a key of another kind": account(private_key=PEM),
    "a number for a key": account(private_key=1),
}
# What a setting is of no use without.
BESIDE = {
    "auth_jwks_url": {"auth_issuer": "i", "auth_audience": "a"},
    "apns_key": {"apns_team": "t", "apns_key_id": "k", "apns_bundle": "b"},
    "vapid_key": {"vapid_contact": "c"},
    "kafka_out": {"kafka_servers": "a:9092"},
    "redis_cluster": {"rq_redis_url": "redis://b/0", "live_shards": "16"},
    "scale_heroku_app": {"scale_heroku_token": "t", "scale_ceiling": "web=2"},
    "scale_command": {"scale_ceiling": "web=2"},
}
# Every field, a text for its variable, and what that is read as.
GIVEN = {
    "redis_url": ("rediss://:pass@redis.example:6380/1", "rediss://:pass@redis.example:6380/1"),
    "redis_cluster": ("1", True),
    "replica_wait_ms": ("100", 100),
    "rq_redis_url": ("redis://127.0.0.1:6379/2", "redis://127.0.0.1:6379/2"),
    "database_url": ("postgres://u:p@db.example/scores", "postgres://u:p@db.example/scores"),
    "history_keep_days": ("30", 30),
    "database_read_url": ("postgres://u:p@replica.example/scores", "postgres://u:p@replica.example/scores"),
    "var_dir": ("elsewhere", "elsewhere"),
    "port": ("8123", 8123),
    "host": ("127.0.0.1", "127.0.0.1"),
    "web_concurrency": ("3", 3),
    "worker_connections": ("500", 500),
    "ramp_s": ("2.5", 2.5),
    "worker_processes": ("4", 4),
    "live_shards": ("2", 2),
    "ingest_secret_generic": (KEY, KEY),
    "ingest_secret_sportradar": ("sixteen-letters!", "sixteen-letters!"),
    "ingest_secret_statsperform": ("sixteen-letters?", "sixteen-letters?"),
    "ingest_backlog": ("10", 10),
    "sources": ("sportradar,generic", "sportradar,generic"),
    "source_silence_s": ("30", 30),
    "feeds": ("sportradar,openligadb,./my_league.toml", "sportradar,openligadb,./my_league.toml"),
    "sportradar_url": ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    "sportradar_key": ("a-key", "a-key"),
    "sportradar_level": ("production", "production"),
    "sportradar_follows": ("competition_id=sr:competition:17", "competition_id=sr:competition:17"),
    "statsperform_url": ("ws://127.0.0.1:1", "ws://127.0.0.1:1"),
    "statsperform_rest_url": ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    "statsperform_oauth_url": ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    "statsperform_outlet_key": ("a-key", "a-key"),
    "statsperform_secret": ("a-secret", "a-secret"),
    "statsperform_calendars": ("one,two", "one,two"),
    "openligadb_url": ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    "openligadb_leagues": ("bl1", "bl1"),
    "football_data_url": ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    "football_data_key": ("a-key", "a-key"),
    "football_data_competitions": ("PL", "PL"),
    "kafka_servers": ("a:9092,b:9092", "a:9092,b:9092"),
    "kafka_topic": ("goals", "goals"),
    "kafka_group": ("ours", "ours"),
    "kafka_out": ("scores", "scores"),
    "kafka_options": ('{"security.protocol": "ssl"}', '{"security.protocol": "ssl"}'),
    "feed_keys": ("my_league=a-key", "my_league=a-key"),
    "cdn": ("varnish", "varnish"),
    "public_url": ("https://scores.example", "https://scores.example"),
    "edge": ("varnish", "varnish"),
    "edge_purge_secret": ("a purge secret", "a purge secret"),
    "varnish_urls": ("http://10.0.0.6:6083", "http://10.0.0.6:6083"),
    "fastly_service_id": ("SU1Z0is", "SU1Z0is"),
    "fastly_api_token": ("a fastly token", "a fastly token"),
    "cloudflare_zone_id": ("023e105f", "023e105f"),
    "cloudflare_api_token": ("a cloudflare token", "a cloudflare token"),
    "cloudflare_plan": ("pro", "pro"),
    "cloudfront_distribution_id": ("EDFDVBD6", "EDFDVBD6"),
    "aws_access_key_id": ("AKIDTESTS", "AKIDTESTS"),
    "aws_secret_access_key": ("an aws secret", "an aws secret"),
    "aws_session_token": ("an aws token", "an aws token"),
    "bunny_pull_zone_id": ("12345", "12345"),
    "bunny_api_key": ("a bunny key", "a bunny key"),
    "metrics_token": ("a metrics token", "a metrics token"),
    "metrics_open": ("1", True),
    "account_keep_days": ("90", 90),
    "client_address_hops": ("2", 2),
    "client_address_header": ("X-Forwarded-For", "X-Forwarded-For"),
    "auth_jwks_url": ("https://id.example/jwks", "https://id.example/jwks"),
    "auth_issuer": ("https://id.example", "https://id.example"),
    "auth_audience": ("scores", "scores"),
    "push": ("null", "null"),
    "apns_team": ("TEAM000001", "TEAM000001"),
    "apns_key_id": ("KEY0000001", "KEY0000001"),
    "apns_key": (PEM, PEM),
    "apns_bundle": ("com.example.scores", "com.example.scores"),
    "apns_url": ("https://127.0.0.1:1", "https://127.0.0.1:1"),
    "apns_channels_url": ("https://127.0.0.1:2", "https://127.0.0.1:2"),
    "fcm_credentials": (ACCOUNT, ACCOUNT),
    "fcm_url": ("https://127.0.0.1:3", "https://127.0.0.1:3"),
    "vapid_key": (PEM, PEM),
    "vapid_contact": ("push@example.com", "push@example.com"),
    "webpush_url": ("https://localhost:4", "https://localhost:4"),
    "push_ca": ("ca.pem", "ca.pem"),
    "control_url": ("http://127.0.0.1:4", "http://127.0.0.1:4"),
    "prewarm_factor": ("1.5", 1.5),
    "edge_caches": ("300", 300),
    "warm_urls": ("https://shield.example", "https://shield.example"),
    "scale_floor": ("web=2,worker=1", "web=2,worker=1"),
    "scale_ceiling": ("web=8", "web=8"),
    "scale_heroku_app": ("scores", "scores"),
    "scale_heroku_token": ("a heroku token", "a heroku token"),
    "scale_heroku_url": ("http://127.0.0.1:5", "http://127.0.0.1:5"),
    "scale_command": ("./scale", "./scale"),
    "demo": ("0", False),
    "demo_speed": ("2.5", 2.5),
    "log_level": ("warning", "warning"),
}


def read(**variables: str) -> Settings:
    return Settings.from_env({name.upper(): text for name, text in variables.items()})


@pytest.mark.parametrize("name", GIVEN)
def test_a_variable_is_read(name: str) -> None:
    text, value = GIVEN[name]
    assert getattr(read(**{name: text}, **BESIDE.get(name, {})), name) == value


@pytest.mark.parametrize("name", [name for name in BESIDE if name != "redis_cluster"])
def test_what_is_of_no_use_alone_names_what_it_needs(name: str) -> None:
    with pytest.raises(Refused, match=" and ".join(BESIDE[name]).upper()):
        read(**{name: GIVEN[name][0]})


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
        ("live_shards", "1.5"),
        ("live_shards", "65"),
        ("replica_wait_ms", "501"),
        ("demo", "maybe"),
        ("demo_speed", "fast"),
        ("demo_speed", "0"),
        ("demo_speed", "nan"),
        ("demo_speed", "inf"),
        ("log_level", "LOUD"),
        ("redis_url", "http://redis.example"),
        ("redis_url", "redis+sentinel://a:26379,b:26379"),
        ("rq_redis_url", "redis.example:6379"),
        ("database_url", "mysql://db.example/scores"),
        ("ingest_secret_generic", "whsec_short"),
        ("ingest_secret_generic", "not base64 at all: äöü"),
        ("ingest_secret_sportradar", "fifteen-letters"),
        ("ingest_secret_statsperform", "x"),
        ("push", "off"),
        ("scale_floor", "web"),
        ("scale_ceiling", "web=0"),
        ("scale_ceiling", "web=1,=2"),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(name: str, text: str) -> None:
    with pytest.raises(Refused, match=name.upper()) as raised:
        read(**{name: text})
    if "secret" in name or "url" in name:
        assert text not in raised.value.message


WRONG_KEYS = {"apns_key": NO_P256, "vapid_key": NO_P256, "fcm_credentials": NO_ACCOUNT}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(name, text, id=f"{name} is {what}")
        for name, wrong in WRONG_KEYS.items()
        for what, text in wrong.items()
    ],
)
def test_a_key_that_cannot_sign_stops_the_start_with_one_sentence_and_is_not_shown(name: str, text: str) -> None:
    with pytest.raises(Refused, match=name.upper()) as raised:
        read(**{name: text}, **BESIDE.get(name, {}))
    assert "\n" not in raised.value.message
    assert text not in raised.value.message
    assert not any(line in raised.value.message for line in text.splitlines() if len(line) > 20)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("command", ["workers", "workers.clock", "gunicorn wsgi:app", "flask --app wsgi secret"])
def test_a_process_that_is_set_up_wrong_ends_with_that_sentence_alone(command: str) -> None:
    given = {**os.environ, "APNS_KEY": NO_P256["a cut one"], "APNS_TEAM": "t", "APNS_KEY_ID": "k", "APNS_BUNDLE": "b"}
    process = [sys.executable, "-m", *command.split()]
    ended = subprocess.run(process, check=False, cwd=ROOT, env=given, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    (sentence,) = ended.stderr.splitlines()
    assert sentence.removeprefix("Error: ").startswith("APNS_KEY must be the text of the .p8 file")


def test_a_key_without_line_breaks_is_one() -> None:
    flat = PEM.replace("\n", "\\n")
    assert read(apns_key=flat, **BESIDE["apns_key"]).apns_key == flat
    assert pem(flat) == PEM


def test_no_secret_and_no_password_is_shown() -> None:
    bear = {"redis_url", "rq_redis_url", "database_url", "database_read_url", "apns_key", "vapid_key"}
    words = ("secret", "token", "api_key", "credentials")
    secrets = {name: GIVEN[name][0] for name in GIVEN if name in bear or any(word in name for word in words)}
    shown = repr(read(**secrets, **BESIDE["apns_key"], **BESIDE["vapid_key"]))
    assert [name for name, text in secrets.items() if text in shown] == []


def test_an_endpoint_without_a_secret_is_closed() -> None:
    settings = read(ingest_secret_sportradar="sixteen-letters!")
    secrets = [settings.ingest_secrets(name) for name in ("sportradar", "generic", "nobody")]
    assert secrets == [("sixteen-letters!",), (), ()]


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
    assert read(database_read_url=url).sql_read_url == sql
    assert read(database_url=url).sql_read_url == ""


@pytest.mark.parametrize("missing", ["rq_redis_url", "live_shards"])
def test_a_cluster_needs_shards_and_another_redis_for_its_jobs(missing: str) -> None:
    beside = {name: text for name, text in BESIDE["redis_cluster"].items() if name != missing}
    with pytest.raises(Refused, match=f"REDIS_CLUSTER=1 needs {missing.upper()}"):
        read(redis_cluster="1", **beside)
    settings = read(redis_cluster="1", **BESIDE["redis_cluster"])
    assert settings.figures_url == settings.queue_url == "redis://b/0"
    assert read(redis_url="redis://a/0", rq_redis_url="redis://b/0").figures_url == "redis://a/0"


def test_a_master_is_named_behind_its_sentinels() -> None:
    url = "rediss+sentinel://u:p@a:26379,b:26379/main/1?sentinel_password=p"
    assert read(redis_url=url).redis_url == url
    with pytest.raises(Refused, match="REDIS_CLUSTER=1 needs a REDIS_URL"):
        read(redis_cluster="1", redis_url=url, **BESIDE["redis_cluster"])


def test_the_setting_that_shards_take_the_place_of_is_named() -> None:
    with pytest.raises(Refused, match="INGEST_SHARDS is gone: unset it, and see LIVE_SHARDS"):
        read(ingest_shards="4")


def test_jobs_use_the_live_state_s_redis_unless_told_otherwise() -> None:
    assert read(redis_url="redis://a/0").queue_url == "redis://a/0"
    assert read(redis_url="redis://a/0", rq_redis_url="redis://b/0").queue_url == "redis://b/0"
