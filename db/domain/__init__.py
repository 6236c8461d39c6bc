"""The game, in plain Python: no I/O, no clock, standard library only. Time comes in as `now` or a `Stamp`.

`words` the vocabulary, `match` the nouns, `update` what a provider says, `reduce` what follows from it.
"""

from db.domain.match import (
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
    "EVENT_TYPES",
    "HOLD_MS",
    "ID_PATTERN",
    "SCORING",
    "Competition",
    "Cursor",
    "Event",
    "Fact",
    "FactKind",
    "Kind",
    "Match",
    "MatchInfo",
    "Person",
    "Phase",
    "Score",
    "Side",
    "Stamp",
    "Status",
    "Team",
    "Update",
    "is_visible",
    "phase_of",
    "reduce",
    "status_of",
]
