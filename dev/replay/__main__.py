"""`python -m dev.replay FILE…`: send recorded matches to the ingest endpoint and compare their results."""

from __future__ import annotations

import random
import secrets
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from config import PROVIDERS, Settings
from db.domain.errors import Refused, Unavailable
from dev.recordings import Expected, RecordedMessage, read
from dev.replay.disorder import WINDOW, Delivery, numbered, renamed, shuffled, twice, with_duplicates
from dev.replay.ingest_client import IngestClient, check_signs
from dev.replay.player import Player, lanes
from dev.replay.settlement import settle, table
from dev.replay.watch import Watch

# No match has more messages.
WINDOW_MAX = 100_000

HELP = """Sends recorded matches to a running service, as their providers would, and then reads the scores back: a table
shows the expected and the actual result of each match."""

EXAMPLES = """formats, detected by content (.gz too):
  openfootball, DataFactory, StatsBomb     sent to /api/ingest/generic, signed (Standard Webhooks)
  Sportradar soccer: timelines, v4         sent to /api/ingest/sportradar
    documents and lists of them, push
  Sportradar NBA, NFL and MLB push,        sent to /api/ingest/sportradar
    NFL plays
  Stats Perform MA1 and MA3                sent to /api/ingest/statsperform

A file holds one JSON value, or several back to back, such as JSON lines. A match keeps the id and names of its file. A
bare list of events has neither: its id is made from the first event's, its teams from a file name that ends in
`2020-05-16-home-away` or `home-vs-away`.

end: a match counts once the service has applied everything, the second sending of --twice included. That is when
/readyz shows nothing waiting; where it does not answer, or others send as well, when the match has not changed for 3
seconds.

secrets: --secret, else INGEST_SECRET_GENERIC, INGEST_SECRET_SPORTRADAR and INGEST_SECRET_STATSPERFORM; where the first
is not set, that of the embedded run in var/ingest_secret_generic.

examples:
  python -m dev.replay worldcup-2022.json --match argentina-france
  python -m dev.replay worldcup-2022.json --speed max --connections 16
  python -m dev.replay en.1-2023-24.json --speed max --batch 100
  python -m dev.replay euro-2024.json --speed max --shuffle 20 --duplicates 10 --twice --seed 7
  python -m dev.replay push.jsonl --speed max --shuffle all
  python -m dev.replay ma3.json --speed 600 --url https://scores.example --secret "$SECRET"

exit status: 0 all results match, 1 a match differs, 2 error, 130 interrupted."""


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        return _replay(options)
    except (Refused, Unavailable) as error:
        print(f"replay: {error.message}", file=sys.stderr)
        return 2


def parser() -> ArgumentParser:
    arguments = ArgumentParser(
        "python -m dev.replay", description=HELP, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter
    )
    add = arguments.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="a recording")
    add("--url", default=f"http://127.0.0.1:{Settings.load().port}", help="the service (default: %(default)s)")
    add("--speed", type=_speed, default=60.0, metavar="N|max", help="match minutes per real minute (default: 60)")
    add("--secret", help="the secret of the ingest endpoints used")
    add("--match", default="", metavar="TEXT", help="only matches whose id contains TEXT")
    add("--suffix", default="", metavar="TEXT", help="appended to every match id, to play a match once more as another")
    add("--connections", type=_from(1, 256), default=4, metavar="N", help="kept open at once; a match stays on one")
    add("--batch", type=_from(1, 500), default=1, metavar="N", help="events per request to the generic endpoint")
    _add_disorder(arguments)
    add("--settle", type=_from(0, 3600), default=30, metavar="S", help="wait at most S seconds for all to be applied")
    return arguments


def _add_disorder(arguments: ArgumentParser) -> None:
    add = arguments.add_argument_group("disorder, the same for the same --seed").add_argument
    add(
        "--shuffle",
        type=_window,
        nargs="?",
        const=WINDOW,
        default=0,
        metavar="N|all",
        help=f"swap each match's messages within a window of N of them, or all of them (without a value: {WINDOW})",
    )
    add("--twice", action="store_true", help="send everything again after the end")
    add(
        "--duplicates",
        type=_from(0, 100),
        default=0,
        metavar="PERCENT",
        help="percentage of messages sent again, some as a retry",
    )
    add("--seed", type=int, default=1, metavar="N", help="(default: %(default)s)")


def _speed(text: str) -> float:
    """Match minutes per real minute; 0 stands for `max`."""
    try:
        speed = 0.0 if text == "max" else float(text)
    except ValueError:
        speed = -1.0
    if not (0 < speed <= 1e9) and text != "max":
        raise ArgumentTypeError(f"{text!r} is neither a number above 0 nor `max`")
    return speed


def _window(text: str) -> int | None:
    """Number of messages; None for `all`."""
    if text == "all":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= WINDOW_MAX:
        raise ArgumentTypeError(f"{text!r} is neither a whole number from 1 to {WINDOW_MAX} nor `all`")
    return int(text)


def _from(lowest: int, highest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise ArgumentTypeError(f"{text!r} is no whole number from {lowest} to {highest}")
        return int(text)

    return number


def _replay(options: Namespace) -> int:
    messages, expected = load(options)
    deliveries = plan(messages, options, nonce=f"replay-{secrets.token_hex(6)}")
    keys = provider_secrets(options.secret, Settings.load(), {message.provider for message in messages})
    dealt = lanes(deliveries, options.connections, options.batch)
    player = Player(lambda sleep: IngestClient(options.url, keys, sleep), dealt)
    try:
        _play(player, options.speed)
        with closing(IngestClient(options.url, keys)) as client:
            got = settle(client, expected, options.settle)
    except KeyboardInterrupt:
        print(f"replay: interrupted after {player.sent} of {player.total} requests", file=sys.stderr)
        return 130
    print(table(expected, got))
    return int(any(str(expected[match_id]) != got[match_id] for match_id in expected))


def _play(player: Player, speed: float) -> None:
    watch = Watch(sys.stderr)
    try:
        player.play(speed, watch, watch.every_s)
    finally:
        watch.end(player)


def load(options: Namespace) -> tuple[list[RecordedMessage], dict[str, Expected]]:
    """Messages of the chosen matches by time, and their results, under their new ids. Raises Refused."""
    recordings = [read(path) for path in options.files]
    expected = {
        match_id + options.suffix: end
        for recording in recordings
        for match_id, end in recording.expected.items()
        if options.match in match_id
    }
    if not expected:
        match_ids = [match_id for recording in recordings for match_id in recording.expected]
        raise Refused(f"no match id contains {options.match!r}; there are {', '.join(match_ids[:5])}…")
    messages = [message for recording in recordings for message in recording.messages]
    chosen = [renamed(m, options.suffix) for m in messages if m.match_id is None or options.match in m.match_id]
    return sorted(chosen, key=lambda message: message.at_ms), expected


def plan(messages: list[RecordedMessage], options: Namespace, nonce: str) -> list[Delivery]:
    """The deliveries in order; the same for the same options, ids included."""
    rng = random.Random(options.seed)
    if options.shuffle != 0:
        messages = shuffled(messages, rng, options.shuffle)
    if options.twice:
        messages = twice(messages)
    return with_duplicates(numbered(messages, nonce), options.duplicates, rng)


def provider_secrets(given: str | None, settings: Settings, needed: set[str]) -> dict[str, str]:
    """Secrets by provider. Raises Refused if a needed one is missing."""
    secrets_by_provider = {
        provider: given or next(iter(settings.ingest_secrets(provider)), "") for provider in PROVIDERS
    }
    generated = Path(settings.var_dir) / "ingest_secret_generic"
    if not secrets_by_provider["generic"] and generated.exists():
        secrets_by_provider["generic"] = generated.read_text().strip()
    missing = [f"INGEST_SECRET_{provider.upper()}" for provider in sorted(needed) if not secrets_by_provider[provider]]
    if missing:
        raise Refused(f"missing secret: set {' and '.join(missing)} as in the service, or give --secret")
    if "generic" in needed:
        check_signs(secrets_by_provider["generic"])
    return secrets_by_provider


if __name__ == "__main__":
    sys.exit(main())
