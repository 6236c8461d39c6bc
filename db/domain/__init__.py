"""The game, in plain Python: no I/O, no clock, standard library only. Time comes in as `now` or a `Stamp`.

`words` the vocabulary, `match` the nouns, `update` what a provider says, `reduce` what follows from it; `follower` who
hears of it, `kinds` what of, `topics` under which names.
"""

from db.domain.follower import Account, Device, Follow, Platform, Quiet, Subject
from db.domain.kinds import BITS, DEFAULT_KINDS, kinds_of, mask_of
from db.domain.match import (
    CURSOR_PATTERN,
    HOLD_MS,
    ID_PATTERN,
    Competition,
    Cursor,
    Event,
    Fact,
    FactKind,
    Match,
    Person,
    Score,
    Stamp,
    Team,
)
from db.domain.reduce import is_visible, reduce
from db.domain.topics import LANGUAGES, SPOILER_FREE, VARIANTS, condition, fits, topics_for, variant_of
from db.domain.update import MatchInfo, Update
from db.domain.words import (
    EVENT_TYPES,
    SCORING,
    Kind,
    Phase,
    Side,
    Status,
    phase_of,
    status_of,
)

__all__ = [
    "BITS",
    "CURSOR_PATTERN",
    "DEFAULT_KINDS",
    "EVENT_TYPES",
    "HOLD_MS",
    "ID_PATTERN",
    "LANGUAGES",
    "SCORING",
    "SPOILER_FREE",
    "VARIANTS",
    "Account",
    "Competition",
    "Cursor",
    "Device",
    "Event",
    "Fact",
    "FactKind",
    "Follow",
    "Kind",
    "Match",
    "MatchInfo",
    "Person",
    "Phase",
    "Platform",
    "Quiet",
    "Score",
    "Side",
    "Stamp",
    "Status",
    "Subject",
    "Team",
    "Update",
    "condition",
    "fits",
    "is_visible",
    "kinds_of",
    "mask_of",
    "phase_of",
    "reduce",
    "status_of",
    "topics_for",
    "variant_of",
]
