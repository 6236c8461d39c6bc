"""The game, in plain Python: no I/O, no clock, standard library only. Time comes in as `now` or a `Stamp`.

`words` the vocabulary, `match` the nouns, `update` what a provider says, `reduce` what follows from it; `follower` who
hears of it, `kinds` what of, `topics` under which names.
"""

from db.domain.derive import derived_events
from db.domain.documents import (
    FIGURE_NAME,
    FIGURES_MAX,
    PLAYERS_MAX,
    Document,
    DocumentKind,
    LineupPlayer,
    Lineups,
    Stats,
    TeamLineup,
    formation_of,
    kind_of,
    ordered,
)
from db.domain.event import Event, Person, Telling
from db.domain.facts import is_listed_alike, is_visible
from db.domain.follower import Account, Device, Follow, Platform, Quiet, Subject
from db.domain.kinds import BITS, DEFAULT_KINDS, NEW_KINDS, kinds_of, mask_of
from db.domain.ledger import Ledger
from db.domain.legacy import with_ledgers
from db.domain.match import (
    CURSOR_PATTERN,
    HOLD_MS,
    ID_PATTERN,
    Cursor,
    Fact,
    FactKind,
    Match,
    essential,
    event_field,
    with_events,
)
from db.domain.match_info import Competition, MatchInfo, Team
from db.domain.merge import MergeResult, joined, merged
from db.domain.names import renamed, spelled, team_ids
from db.domain.reduce import BY_FIRST_WORD, reduce
from db.domain.score import Score
from db.domain.scoreline import NAME_CHARS, ScorelineEntry, cards_of, clip, scorers_of
from db.domain.sources import Precedence, due_ms
from db.domain.stamp import Stamp
from db.domain.topics import conditions, fits, live_update_topic, topics_for, variant_of
from db.domain.union import united
from db.domain.update import Update
from db.domain.variant import LANGUAGES, VARIANTS, Payload, Variant, language_of
from db.domain.vocabulary import (
    EVENT_TYPES,
    IMPLIES,
    KICKS,
    LISTED_TYPES,
    RED_CARDS,
    SCORING,
    Kind,
    Phase,
    Side,
    Status,
    phase_of,
    status_of,
)
from db.domain.web_push import PUSH_SERVICES, is_push_endpoint

__all__ = [
    "BITS",
    "BY_FIRST_WORD",
    "CURSOR_PATTERN",
    "DEFAULT_KINDS",
    "EVENT_TYPES",
    "FIGURES_MAX",
    "FIGURE_NAME",
    "HOLD_MS",
    "ID_PATTERN",
    "IMPLIES",
    "KICKS",
    "LANGUAGES",
    "LISTED_TYPES",
    "NAME_CHARS",
    "NEW_KINDS",
    "PLAYERS_MAX",
    "PUSH_SERVICES",
    "RED_CARDS",
    "SCORING",
    "VARIANTS",
    "Account",
    "Competition",
    "Cursor",
    "Device",
    "Document",
    "DocumentKind",
    "Event",
    "Fact",
    "FactKind",
    "Follow",
    "Kind",
    "Ledger",
    "LineupPlayer",
    "Lineups",
    "Match",
    "MatchInfo",
    "MergeResult",
    "Payload",
    "Person",
    "Phase",
    "Platform",
    "Precedence",
    "Quiet",
    "Score",
    "ScorelineEntry",
    "Side",
    "Stamp",
    "Stats",
    "Status",
    "Subject",
    "Team",
    "TeamLineup",
    "Telling",
    "Update",
    "Variant",
    "cards_of",
    "clip",
    "conditions",
    "derived_events",
    "due_ms",
    "essential",
    "event_field",
    "fits",
    "formation_of",
    "is_listed_alike",
    "is_push_endpoint",
    "is_visible",
    "joined",
    "kind_of",
    "kinds_of",
    "language_of",
    "live_update_topic",
    "mask_of",
    "merged",
    "ordered",
    "phase_of",
    "reduce",
    "renamed",
    "scorers_of",
    "spelled",
    "status_of",
    "team_ids",
    "topics_for",
    "united",
    "variant_of",
    "with_events",
    "with_ledgers",
]
