"""Settings: every environment variable, its default and unit. The only reader of the environment."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from db.domain.errors import Refused

PROVIDERS = ("generic", "sportradar", "statsperform")
# 128 bits: what is shorter can be guessed.
SECRET_MIN = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """One field per variable of the same name in capitals; a wrong value stops the start and says how to mend it."""

    # Live state. redis://, rediss:// or unix://; with Sentinels redis+sentinel://host:26379,host:26379/master. Heroku's
    # certificates are self-signed, so rediss checks none, unless the URL says `?ssl_cert_reqs=required`, with
    # `&ssl_ca_certs=/path/ca.pem` for an authority of one's own.
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    # Whether REDIS_URL is any node of a Redis or Valkey Cluster. Needs LIVE_SHARDS above 1, and RQ_REDIS_URL.
    redis_cluster: bool = False
    # Milliseconds that a delivery waits for a replica of Redis to have it, 500 at most; 0 for none. What no replica
    # has by then is accepted and counted.
    replica_wait_ms: int = 0
    # Job queues; the live state's Redis unless set. Beside a cluster also limits and metrics.
    rq_redis_url: str = field(default="", repr=False)
    # History. postgresql://, Heroku's postgres://, or sqlite:///path.
    database_url: str = field(default="sqlite:///var/scores.db", repr=False)
    # A replica of the history for lists, tables and search; DATABASE_URL unless set, and while it is away.
    database_read_url: str = field(default="", repr=False)
    # Days for which history keeps the timeline of a match and each of its scores: from its start, or on PostgreSQL from
    # the end of the month in which they were told. The match with its last score stays.
    history_keep_days: int = 400
    # Where the embedded run keeps its Redis file, its database and its secret.
    var_dir: str = "var"
    # TCP port of the web process.
    port: int = 8000
    # Address the web process listens on.
    host: str = "0.0.0.0"  # noqa: S104 - a dyno must be reached from outside
    # Web processes; each is one gevent loop, so one per core.
    web_concurrency: int = 2
    # Connections one web process may hold at once.
    worker_connections: int = 20_000
    # Seconds in which a web process that has just begun comes to hold as many readers as it may.
    ramp_s: float = 3.0
    # Job worker processes in one `worker` dyno. From three on neither a score nor a purge waits for other work.
    worker_processes: int = 3
    # Groups of matches, drained side by side, whose keys share a tag. One keeps a Saturday; 16 are a good number where
    # matches are to be on several masters. Redis records the number and refuses another.
    live_shards: int = 1
    # Signing secret of /api/ingest/generic, `whsec_` and base64 (Standard Webhooks). Two, with a space between, while
    # it is rotated.
    ingest_secret_generic: str = field(default="", repr=False)
    # Shared secret of /api/ingest/sportradar, sent as X-Ingest-Secret; two during a rotation.
    ingest_secret_sportradar: str = field(default="", repr=False)
    # Shared secret of /api/ingest/statsperform; two during a rotation.
    ingest_secret_statsperform: str = field(default="", repr=False)
    # Updates that may wait unapplied before the endpoint answers 429.
    ingest_backlog: int = 50_000
    # Sources that tell a match before others, the first before all: generic, sportradar, statsperform, or a connected
    # feed. The rest in the order in which they first spoke.
    sources: str = ""
    # Seconds for which the source that tells a match may be silent while another is ahead, before that takes over.
    source_silence_s: int = 45
    # Feeds that the `feed` process keeps connected, with commas between: sportradar, statsperform, openligadb,
    # football_data, kafka, or the path of a mapping file such as ./my_league.toml. None: it waits.
    feeds: str = ""
    # Sportradar's API, its key, `trial` or `production`, and the stream's filter (`competition_id=…&season_id=…`).
    sportradar_url: str = "https://api.sportradar.com"
    sportradar_key: str = field(default="", repr=False)
    sportradar_level: str = "trial"
    sportradar_follows: str = ""
    # Stats Perform's live push, its REST API and its token service.
    statsperform_url: str = "wss://sddp-soccer.performgroup.io"
    statsperform_rest_url: str = "https://api.performfeeds.com"
    statsperform_oauth_url: str = "https://oauth.performgroup.com"
    # The outlet's key, its OAuth secret where it has one, and the tournament calendars followed (all without).
    statsperform_outlet_key: str = field(default="", repr=False)
    statsperform_secret: str = field(default="", repr=False)
    statsperform_calendars: str = ""
    # OpenLigaDB's API and the leagues followed.
    openligadb_url: str = "https://api.openligadb.de"
    openligadb_leagues: str = "bl1,bl2,bl3,dfb"
    # football-data.org's API, its key and the competitions followed.
    football_data_url: str = "https://api.football-data.org"
    football_data_key: str = field(default="", repr=False)
    football_data_competitions: str = "PL,BL1,SA,PD,FL1,CL"
    # Kafka's brokers, `host:port,host:port`, the topic with events in the generic format, and the group that reads it.
    kafka_servers: str = ""
    kafka_topic: str = "score-events"
    kafka_group: str = "live-scores"
    # The topic to which the `feed` process publishes every version of every match, keyed by its id; none unless set.
    kafka_out: str = ""
    # Further options of librdkafka, such as certificates: a JSON object.
    kafka_options: str = field(default="", repr=False)
    # Keys of feeds from mapping files: `my_league=KEY,other=KEY`.
    feed_keys: str = field(default="", repr=False)
    # Header dialect and purge backend of the CDN in front: null (none), varnish, fastly, cloudflare, cloudfront, bunny.
    cdn: str = "null"
    # Where readers reach the service, through the CDN; the probe and `flask edge check` read there.
    public_url: str = ""
    # What the embedded run puts in front of itself: nothing, or `varnish`.
    edge: str = ""
    # Secret of our Varnish's purge port; varnishd gets the same one.
    edge_purge_secret: str = field(default="", repr=False)
    # Purge ports of our Varnish nodes, separated by commas.
    varnish_urls: str = "http://127.0.0.1:6083"
    # Fastly's service id, and a token of scope purge_select.
    fastly_service_id: str = ""
    fastly_api_token: str = field(default="", repr=False)
    # Cloudflare's zone id, a token with Zone.Cache Purge, and the plan: free, pro, business or enterprise.
    cloudflare_zone_id: str = ""
    cloudflare_api_token: str = field(default="", repr=False)
    cloudflare_plan: str = "free"
    # CloudFront's distribution id; without a key pair boto3 looks where it always looks.
    cloudfront_distribution_id: str = ""
    aws_access_key_id: str = ""
    aws_secret_access_key: str = field(default="", repr=False)
    # Of temporary credentials.
    aws_session_token: str = field(default="", repr=False)
    # Bunny's pull zone id and API key.
    bunny_pull_zone_id: str = ""
    bunny_api_key: str = field(default="", repr=False)
    # The header in which the router in front names the client (`X-Forwarded-For` on Heroku); none where nothing is in
    # front, for then anybody may send it. Sign-ups are counted by it.
    client_address_header: str = ""
    # Trusted proxies, each of which appends an entry to that header: 1 on Heroku, 2 with a CDN in front of it.
    client_address_hops: int = 1
    # Where the keys of another issuer's JWTs are (JWKS): its users are then ours too. Issuer and audience go with it.
    auth_jwks_url: str = ""
    # `iss` of those JWTs.
    auth_issuer: str = ""
    # `aud` of those JWTs.
    auth_audience: str = ""
    # Days after which an account that no app has used is deleted.
    account_keep_days: int = 400
    # `keys`: alerts go out by every service whose keys are set below; `null`: by none, and count as sent.
    push: str = "keys"
    # APNs: the team's id, ten characters.
    apns_team: str = ""
    # The key's id, ten characters.
    apns_key_id: str = ""
    # The key itself, the text of the .p8 file; `\n` may stand for a line break.
    apns_key: str = field(default="", repr=False)
    # The app's bundle id.
    apns_bundle: str = ""
    # Instead of Apple's hosts, for both environments: an emulator's.
    apns_url: str = ""
    # The same for the management of broadcast channels.
    apns_channels_url: str = ""
    # FCM: the text of the service account's JSON file.
    fcm_credentials: str = field(default="", repr=False)
    # Instead of https://fcm.googleapis.com: an emulator's.
    fcm_url: str = ""
    # Web Push: the VAPID private key, PEM (RFC 8292).
    vapid_key: str = field(default="", repr=False)
    # Whom the operators of a push service may write to: an e-mail address.
    vapid_contact: str = ""
    # Instead of the push services of browsers: an emulator's.
    webpush_url: str = ""
    # A file of certificates that push services are checked against instead of the public ones.
    push_ca: str = ""
    # Where the emulators show their phones (dev/emulators/control.py); none beside the real services.
    control_url: str = ""
    # The demo match day of the embedded run; 0 starts the same system without it.
    demo: bool = True
    # Match minutes the demo plays per real minute.
    demo_speed: float = 30.0
    # That many times the expected peak is made ready before kick-off.
    prewarm_factor: float = 2.0
    # Caches of the CDN that ask the origin: its shields, or its PoPs without one. What the origin needs follows them.
    edge_caches: int = 60
    # Shields that are warmed before kick-off beside PUBLIC_URL: their own addresses, separated by commas.
    warm_urls: str = ""
    # Processes that are never undercut, and those that are left when nothing is played: `web=1,worker=1`.
    scale_floor: str = "web=1,worker=1"
    # Processes that are never exceeded: `web=10,worker=4`. Without it nothing is scaled.
    scale_ceiling: str = ""
    # Heroku's app that is scaled, and a token of scope write; its Platform API.
    scale_heroku_app: str = ""
    scale_heroku_token: str = field(default="", repr=False)
    scale_heroku_url: str = "https://api.heroku.com"
    # Instead of Heroku: a command that is given `web=4 worker=2`.
    scale_command: str = ""
    # Bearer token for /metrics; without it nobody may read them, unless METRICS_OPEN.
    metrics_token: str = field(default="", repr=False)
    # Whether anybody may read /metrics; the embedded run sets it.
    metrics_open: bool = False
    # INFO, WARNING…
    log_level: str = "INFO"

    @classmethod
    def load(cls) -> Settings:
        return cls.from_env(os.environ)

    @classmethod
    def at_start(cls) -> Settings:
        """Of a process: a wrong value ends it with one sentence."""
        try:
            return cls.load()
        except Refused as error:
            sys.exit(error.message)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        if environ.get("INGEST_SHARDS"):
            raise Refused("INGEST_SHARDS is gone: unset it, and see LIVE_SHARDS (docs/runbook.md).")
        given = {f.name: environ[f.name.upper()] for f in fields(cls) if environ.get(f.name.upper(), "") != ""}
        read = {f.name: _parse(f.name, given[f.name], f.type) for f in fields(cls) if f.name in given}
        settings = cls(**read)
        for name, (is_wrong, wanted) in _WRONG.items():
            if name in given and is_wrong(given[name]):
                raise Refused(f"{name.upper()} {wanted}. Unset it for the default.")
        for name, others in _TOGETHER.items():
            missing = [other for other in others if name in given and not getattr(settings, other)]
            if missing:
                raise Refused(f"{name.upper()} needs {' and '.join(missing).upper()} beside it.")
        _check_cluster(settings)
        return settings

    def ingest_secrets(self, provider: str) -> tuple[str, ...]:
        """The secrets that an ingest endpoint accepts: two during a rotation, none if it is closed."""
        return tuple(str(getattr(self, f"ingest_secret_{provider}", "")).replace(",", " ").split())

    def with_(self, **changed: Any) -> Settings:
        return replace(self, **changed)

    @property
    def queue_url(self) -> str:
        return self.rq_redis_url or self.redis_url

    @property
    def figures_url(self) -> str:
        """The Redis of limits and metrics, which belong to no shard."""
        return self.queue_url if self.redis_cluster else self.redis_url

    @property
    def sql_url(self) -> str:
        """DATABASE_URL in SQLAlchemy's words."""
        return _sql_url(self.database_url)

    @property
    def sql_read_url(self) -> str:
        """The same of DATABASE_READ_URL; "" if it is not set."""
        return _sql_url(self.database_read_url)


def _sql_url(url: str) -> str:
    """Heroku still hands out postgres:// (devcenter, "Heroku Postgres")."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _check_cluster(settings: Settings) -> None:
    """RQ runs on no cluster, and the keys of one shard without a tag are in many slots."""
    if not settings.redis_cluster:
        return
    if not settings.rq_redis_url:
        raise Refused("REDIS_CLUSTER=1 needs RQ_REDIS_URL beside it: job queues need a Redis that is no cluster.")
    if settings.live_shards == 1:
        raise Refused("REDIS_CLUSTER=1 needs LIVE_SHARDS beside it, 16 for up to 16 masters.")
    if not settings.redis_url.startswith(("redis://", "rediss://")):
        raise Refused("REDIS_CLUSTER=1 needs a REDIS_URL that begins with redis:// or rediss://.")


def _parse(name: str, text: str, kind: Any) -> Any:
    parsers: dict[str, Callable[[str], Any]] = {"int": _positive, "float": _speed, "bool": _flag}
    parse = parsers.get(str(kind), str)
    try:
        return parse(text)
    except ValueError as error:
        raise Refused(f"{name.upper()}={text!r} is not understood: {error}. Unset it for the default.") from None


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("a number of at least 1 is needed")
    return number


def _speed(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError("a number above 0 is needed")
    return number


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in ("0", "1", "true", "false", "yes", "no", "on", "off"):
        raise ValueError("use 1 or 0")
    return word in ("1", "true", "yes", "on")


def _are_no_keys(text: str) -> bool:
    return _is_wrong_for_any(text, _is_no_key)


def _are_short(text: str) -> bool:
    return _is_wrong_for_any(text, lambda secret: len(secret) < SECRET_MIN)


def _is_wrong_for_any(text: str, is_wrong: Callable[[str], bool]) -> bool:
    """A rotation takes two secrets, and no more."""
    secrets_ = text.replace(",", " ").split()
    return not 1 <= len(secrets_) <= 2 or any(map(is_wrong, secrets_))


def _is_no_key(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_") + "==", validate=False)
    except (binascii.Error, ValueError):
        key = b""
    return len(key) < SECRET_MIN


def _is_no_redis(url: str) -> bool:
    """Sentinels are no use without the name of the master."""
    sentinels = re.fullmatch(r"rediss?\+sentinel://[^/?]+/[^/?]+.*", url)
    return not (sentinels or url.startswith(("redis://", "rediss://", "unix://")))


def _is_no_database(url: str) -> bool:
    return not url.startswith(("postgres://", "postgresql://", "postgresql+psycopg://", "sqlite:///"))


def _are_too_many(text: str) -> bool:
    """As `db.live.sharding` divides."""
    return int(text) > 64


def _is_too_long(text: str) -> bool:
    """A web request has a second for an answer of Redis (db.live.client.WEB_ANSWER_S)."""
    return int(text) > 500


def _is_no_port(text: str) -> bool:
    return int(text) > 65_535


def _is_no_account(text: str) -> bool:
    """Google, "Service account key": its type, and an RSA key that signs for it."""
    try:
        account = json.loads(text)
        if not {"project_id", "client_email", "token_uri"} <= account.keys() or account["type"] != "service_account":
            return True
        return not isinstance(_private_key(account["private_key"]), rsa.RSAPrivateKey)
    except (ValueError, TypeError, AttributeError, KeyError):
        return True


def _is_no_p256(text: str) -> bool:
    """What ES256 signs with, as APNs and VAPID (RFC 8292, 2) ask for."""
    try:
        key = _private_key(pem(text))
    except (ValueError, TypeError):
        return True
    return not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1))


def _private_key(text: str) -> PrivateKeyTypes:
    """Raises ValueError for what is none, TypeError for one that is locked with a password."""
    try:
        return load_pem_private_key(text.encode(), None)
    except UnsupportedAlgorithm:
        raise ValueError from None


def words(text: str) -> list[str]:
    """The words of a setting that lists some, separated by commas or spaces."""
    return text.replace(",", " ").split()


def _is_no_source(text: str) -> bool:
    sources = {"generic", "sportradar", "statsperform", "openligadb", "football_data"}
    sources |= {mapping_name(word) for word in words(text) if word.endswith(".toml")}
    return not {mapping_name(word) for word in words(text)} <= sources


def mapping_name(word: str) -> str:
    """The feed's name: that of a mapping file without its folder and ending."""
    return word.rpartition("/")[2].removesuffix(".toml").replace("-", "_")


def _is_no_feed(text: str) -> bool:
    names = {word for word in words(text) if not word.endswith(".toml")}
    return not names <= {"sportradar", "statsperform", "openligadb", "football_data", "kafka"}


def _is_no_level_of_sportradar(word: str) -> bool:
    return word not in ("trial", "production")


def _is_no_url(text: str) -> bool:
    return not text.startswith(("https://", "http://"))


def _is_no_socket_url(text: str) -> bool:
    return not text.startswith(("wss://", "ws://"))


def _is_no_key_list(text: str) -> bool:
    return any("=" not in word for word in words(text))


def _is_no_push(word: str) -> bool:
    return word not in ("keys", "null")


def _is_no_level(word: str) -> bool:
    return word.upper() not in logging.getLevelNamesMapping()


def counts(text: str) -> dict[str, int]:
    """Numbers by name, as `web=1,worker=2`. Raises ValueError for what is none, or no number of at least 1."""
    pairs = (word.partition("=") for word in words(text))
    return {name: _positive(number) for name, _, number in pairs}


def _are_no_counts(text: str) -> bool:
    try:
        return not all(re.fullmatch(r"[-\w]{1,128}", name) for name in counts(text))
    except ValueError:
        return True


_COUNTS = (_are_no_counts, "must be type=number, at least 1, with commas between")
_DATABASE = (_is_no_database, "must begin with postgresql://, postgres:// or sqlite:///")
_REDIS = (_is_no_redis, "must begin with redis://, rediss:// or unix://, or be redis+sentinel://host,host/master")
_URL = (_is_no_url, "must begin with https://")
_SHARED = (_are_short, "must be 16 characters or more; `make secret` makes one")
# What is wrong, and what a wrong value is told; never the value itself, for most of these hold a password.
_WRONG: dict[str, tuple[Callable[[str], bool], str]] = {
    "redis_url": _REDIS,
    "rq_redis_url": _REDIS,
    "database_url": _DATABASE,
    "database_read_url": _DATABASE,
    "replica_wait_ms": (_is_too_long, "must be 500 at most"),
    "live_shards": (_are_too_many, "must be 64 at most"),
    "port": (_is_no_port, "must be 65535 at most"),
    "log_level": (_is_no_level, "must be DEBUG, INFO, WARNING or ERROR"),
    "ingest_secret_generic": (
        _are_no_keys,
        "must be whsec_ and the base64 of 16 bytes or more; `make secret` makes one",
    ),
    "ingest_secret_sportradar": _SHARED,
    "ingest_secret_statsperform": _SHARED,
    "sources": (_is_no_source, "must name generic, sportradar, statsperform or a feed, with commas between"),
    "feeds": (
        _is_no_feed,
        "must name sportradar, statsperform, openligadb, football_data, kafka or mapping files that end in .toml",
    ),
    "sportradar_url": _URL,
    "sportradar_level": (_is_no_level_of_sportradar, "must be trial or production"),
    "statsperform_url": (_is_no_socket_url, "must begin with wss://"),
    "statsperform_rest_url": _URL,
    "statsperform_oauth_url": _URL,
    "openligadb_url": _URL,
    "football_data_url": _URL,
    "feed_keys": (_is_no_key_list, "must be name=key, with commas between"),
    "scale_floor": _COUNTS,
    "scale_ceiling": _COUNTS,
    "scale_heroku_url": _URL,
    "push": (_is_no_push, "must be keys or null"),
    "apns_key": (_is_no_p256, "must be the text of the .p8 file, a private key on the curve P-256 without a password"),
    "fcm_credentials": (_is_no_account, "must be the text of the service account's JSON file, with its RSA key"),
    "vapid_key": (_is_no_p256, "must be a private key in PEM, on the curve P-256 and without a password"),
}
# What is of no use alone.
_TOGETHER = {
    "auth_jwks_url": ("auth_issuer", "auth_audience"),
    "kafka_out": ("kafka_servers",),
    "apns_key": ("apns_team", "apns_key_id", "apns_bundle"),
    "vapid_key": ("vapid_contact",),
    "scale_heroku_app": ("scale_heroku_token", "scale_ceiling"),
    "scale_command": ("scale_ceiling",),
}


def pem(text: str) -> str:
    """Not every place that keeps environment variables keeps their line breaks."""
    return text.replace("\\n", "\n")


def new_secret() -> str:
    """Standard Webhooks, "Signature scheme": whsec_ and the base64 of 24 to 64 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def set_up_logs(level: str) -> None:
    """One line a decision on stdout: level, module, event word, fields. The platform keeps them (twelve-factor)."""
    form = "%(levelname)s %(name)s %(message)s"
    logging.basicConfig(stream=sys.stdout, level=level.upper(), format=form, force=True)
    # These tell every step, the HTTP/2 ones with the tokens in it; their warnings are enough beside our own lines.
    for chatty in ("rq", "rq.worker", "alembic", "urllib3", "hpack", "h2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
