"""`python -m dev.replay FILE…`: recorded matches through the ingest door, and whether they ended as recorded."""

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

# More than any match has messages.
WINDOW_MOST = 100_000

HELP = """Plays recorded matches into a running service, as their providers would have sent them, and then reads the
scores back: a table says of each match how it should have ended and how it did."""

EXAMPLES = """formats, known by their content (.gz too):
  openfootball, DataFactory, StatsBomb     sent to the door `generic`, signed (Standard Webhooks)
  Sportradar soccer: timelines, v4         sent to the door `sportradar`
    documents and lists of them, push
  Sportradar NBA, NFL and MLB push,        sent to the door `sportradar`
    NFL plays
  Stats Perform MA1 and MA3                sent to the door `statsperform`

A file is one JSON value, or several one after another, such as JSON lines. A match plays under the id and the names
that its file has. A bare list of events has neither: its id is made from the first event's, and it is named where the
file's name ends in `2020-05-16-home-away` or `home-vs-away`.

end: a match counts once the service has applied all that was sent, told twice too. That is when /readyz says that
nothing waits; where it does not answer, or others send as well, when the match has not changed for 3 seconds.

secrets: --secret, else INGEST_SECRET_GENERIC, INGEST_SECRET_SPORTRADAR and INGEST_SECRET_STATSPERFORM; where the first
is not set, the one that the embedded run has put into var/ingest_secret_generic.

examples:
  python -m dev.replay worldcup-2022.json --match argentina-france
  python -m dev.replay worldcup-2022.json --speed max --connections 16
  python -m dev.replay en.1-2023-24.json --speed max --batch 100
  python -m dev.replay euro-2024.json --speed max --shuffle 20 --duplicates 10 --twice --seed 7
  python -m dev.replay push.jsonl --speed max --shuffle all
  python -m dev.replay ma3.json --speed 600 --url https://scores.example --secret "$SECRET"

exit status: 0 all as recorded, 1 a match differs, 2 not possible, 130 interrupted."""


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        return _replay(options)
    except (Refused, Unavailable) as error:
        print(f"replay: {error.message}", file=sys.stderr)
        return 2


def parser() -> ArgumentParser:
    made = ArgumentParser(
        "python -m dev.replay", description=HELP, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter
    )
    add = made.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="a recording")
    add("--url", default=f"http://127.0.0.1:{Settings.load().port}", help="the service (default: %(default)s)")
    add("--speed", type=_speed, default=60.0, metavar="N|max", help="match minutes per real minute (default: 60)")
    add("--secret", help="the secret of the door or doors the files go to")
    add("--match", default="", metavar="TEXT", help="only matches whose id contains TEXT")
    add("--suffix", default="", metavar="TEXT", help="appended to every match id, to play a match once more as another")
    add("--connections", type=_from(1, 256), default=4, metavar="N", help="kept open at once; a match stays on one")
    add("--batch", type=_from(1, 500), default=1, metavar="N", help="events per request at the generic door")
    _add_disorder(made)
    add("--settle", type=_from(0, 3600), default=30, metavar="S", help="wait at most S seconds for all to be applied")
    return made


def _add_disorder(made: ArgumentParser) -> None:
    add = made.add_argument_group("disorder, the same for the same --seed").add_argument
    add(
        "--shuffle",
        type=_window,
        nargs="?",
        const=WINDOW,
        default=0,
        metavar="N|all",
        help=f"swap each match's messages within a window of N of them, or all of them (without a value: {WINDOW})",
    )
    add("--twice", action="store_true", help="tell the whole again after its end")
    add("--duplicates", type=_from(0, 100), default=0, metavar="PERCENT", help="so many again, some as a retry")
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
    """Messages of a match; None for all of them."""
    if text == "all":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= WINDOW_MOST:
        raise ArgumentTypeError(f"{text!r} is neither a whole number from 1 to {WINDOW_MOST} nor `all`")
    return int(text)


def _from(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return number


def _replay(options: Namespace) -> int:
    messages, expected = load(options)
    deliveries = plan(messages, options, nonce=f"replay-{secrets.token_hex(6)}")
    keys = door_secrets(options.secret, Settings.load(), {message.provider for message in messages})
    dealt = lanes(deliveries, options.connections, options.batch)
    player = Player(lambda sleep: IngestClient(options.url, keys, sleep), dealt)
    try:
        _play(player, options.speed)
        with closing(IngestClient(options.url, keys)) as door:
            got = settle(door, expected, options.settle)
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
    """The messages of all files in order of time, of the chosen matches, under their new ids. Raises Refused."""
    recordings = [read(path) for path in options.files]
    expected = {
        match_id + options.suffix: end
        for recording in recordings
        for match_id, end in recording.expected.items()
        if options.match in match_id
    }
    if not expected:
        known = [match_id for recording in recordings for match_id in recording.expected]
        raise Refused(f"no match id contains {options.match!r}; there are {', '.join(known[:5])}…")
    told = [message for recording in recordings for message in recording.messages]
    chosen = [renamed(m, options.suffix) for m in told if m.match_id is None or options.match in m.match_id]
    return sorted(chosen, key=lambda message: message.at_ms), expected


def plan(messages: list[RecordedMessage], options: Namespace, nonce: str) -> list[Delivery]:
    """What is delivered in which order; the same for the same options, down to the ids."""
    rng = random.Random(options.seed)
    if options.shuffle != 0:
        messages = shuffled(messages, rng, options.shuffle)
    if options.twice:
        messages = twice(messages)
    return with_duplicates(numbered(messages, nonce), options.duplicates, rng)


def door_secrets(given: str | None, settings: Settings, needed: set[str]) -> dict[str, str]:
    """Raises Refused where a door that is needed has none."""
    found = {provider: given or settings.ingest_secret(provider) for provider in PROVIDERS}
    made = Path(settings.var_dir) / "ingest_secret_generic"
    if not found["generic"] and made.exists():
        found["generic"] = made.read_text().strip()
    missing = [f"INGEST_SECRET_{provider.upper()}" for provider in sorted(needed) if not found[provider]]
    if missing:
        raise Refused(f"no secret for the door: set {' and '.join(missing)} as the service has it, or give --secret")
    if "generic" in needed:
        check_signs(found["generic"])
    return found


if __name__ == "__main__":
    sys.exit(main())
