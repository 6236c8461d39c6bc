"""The vocabulary every layer shares: status, phase, event types. docs/words.md says what each means."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    HOME = "home"
    AWAY = "away"

    @property
    def other(self) -> Side:
        return Side.AWAY if self is Side.HOME else Side.HOME


class Phase(StrEnum):
    """Five words for readers who want no vocabulary."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    BREAK = "break"
    FINISHED = "finished"
    OFF = "off"


class Status(StrEnum):
    """Where a match stands. Providers' own words are mapped onto these by their feed."""

    SCHEDULED = "scheduled"
    TIME_TBD = "time_tbd"
    DELAYED = "delayed"
    LIVE = "live"  # in play, where the sport or the provider has no finer word
    PAUSE = "pause"  # a break of a sport without half-time: between quarters, sets, innings
    FIRST_HALF = "first_half"
    HALF_TIME = "half_time"
    SECOND_HALF = "second_half"
    BREAK_BEFORE_ET = "break_before_et"
    ET_FIRST = "et_first"
    ET_HALF_TIME = "et_half_time"
    ET_SECOND = "et_second"
    BREAK_BEFORE_PENS = "break_before_pens"
    SHOOTOUT = "shootout"
    INTERRUPTED = "interrupted"
    SUSPENDED = "suspended"
    ENDED = "ended"  # the whistle has gone, the result is not confirmed
    FINISHED = "finished"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    AWARDED = "awarded"
    WALKOVER = "walkover"
    REMOVED = "removed"
    REPLACED = "replaced"


_PHASES: dict[Phase, tuple[Status, ...]] = {
    Phase.SCHEDULED: (Status.SCHEDULED, Status.TIME_TBD, Status.DELAYED),
    Phase.LIVE: (
        Status.LIVE,
        Status.FIRST_HALF,
        Status.SECOND_HALF,
        Status.ET_FIRST,
        Status.ET_SECOND,
        Status.SHOOTOUT,
    ),
    Phase.BREAK: (
        Status.PAUSE,
        Status.HALF_TIME,
        Status.BREAK_BEFORE_ET,
        Status.ET_HALF_TIME,
        Status.BREAK_BEFORE_PENS,
        Status.INTERRUPTED,
        Status.SUSPENDED,
    ),
    Phase.FINISHED: (Status.ENDED, Status.FINISHED, Status.AWARDED, Status.WALKOVER),
    Phase.OFF: (Status.POSTPONED, Status.CANCELLED, Status.ABANDONED, Status.REMOVED, Status.REPLACED),
}
_PHASE_OF = {status: phase for phase, statuses in _PHASES.items() for status in statuses}

# Words seen in senders' payloads that mean one of ours without doubt (reference: the providers' vocabularies).
_SYNONYMS = {
    "not_started": Status.SCHEDULED,
    "fixture": Status.SCHEDULED,
    "timed": Status.SCHEDULED,
    "start_delayed": Status.DELAYED,
    "started": Status.LIVE,
    "playing": Status.LIVE,
    "in_play": Status.LIVE,
    "in_progress": Status.LIVE,
    "inprogress": Status.LIVE,
    "1st_half": Status.FIRST_HALF,
    "halftime": Status.HALF_TIME,
    "paused": Status.HALF_TIME,
    "2nd_half": Status.SECOND_HALF,
    "awaiting_extra_time": Status.BREAK_BEFORE_ET,
    "1st_extra": Status.ET_FIRST,
    "overtime": Status.ET_FIRST,
    "extra_time": Status.ET_FIRST,
    "extra_time_halftime": Status.ET_HALF_TIME,
    "2nd_extra": Status.ET_SECOND,
    "awaiting_penalties": Status.BREAK_BEFORE_PENS,
    "penalties": Status.SHOOTOUT,
    "penalty_shootout": Status.SHOOTOUT,
    "full_time": Status.FINISHED,
    "closed": Status.FINISHED,
    "complete": Status.FINISHED,
    "played": Status.FINISHED,
    "aet": Status.FINISHED,
    "ap": Status.FINISHED,
    "canceled": Status.CANCELLED,
}


def phase_of(status: Status) -> Phase:
    return _PHASE_OF[status]


def status_of(word: str) -> Status | None:
    """The canonical status a sender's word names; None for a word never heard of."""
    plain = word.strip().lower().replace(" ", "_").replace("-", "_")
    try:
        return Status(plain)
    except ValueError:
        return _SYNONYMS.get(plain)


# Goals that raise a score. Shoot-out kicks never do.
SCORING = frozenset({"goal", "own_goal", "penalty_goal"})
KICKS = frozenset({"shootout_goal", "shootout_missed"})
# Types that say where the match stands, and the status each implies.
IMPLIES: dict[str, Status] = {
    "kickoff": Status.FIRST_HALF,
    "half_time": Status.HALF_TIME,
    "second_half": Status.SECOND_HALF,
    "extra_time": Status.ET_FIRST,
    "extra_half_time": Status.ET_HALF_TIME,
    "extra_second_half": Status.ET_SECOND,
    "shootout_start": Status.SHOOTOUT,
    "full_time": Status.FINISHED,
    "interrupted": Status.INTERRUPTED,
    "postponed": Status.POSTPONED,
    "cancelled": Status.CANCELLED,
    "abandoned": Status.ABANDONED,
    "awarded": Status.AWARDED,
}
# Types that end a period, and which, where the sender does not say.
CLOSING = {"half_time": 1, "extra_half_time": 3, "full_time": 9}
# Only the ball in play makes these, so they say that a match believed to be resting is being played.
IN_PLAY = SCORING | {"penalty_missed"}
RED_CARDS = frozenset({"red_card", "second_yellow"})
# Events that a whole document takes back by leaving them out.
LISTED_TYPES = SCORING | KICKS | RED_CARDS
# Events that score or status may follow from, and those.
KEY_TYPES = IN_PLAY | KICKS | RED_CARDS | frozenset(IMPLIES) | {"resumed", "goal_cancelled", "var_review"}
EVENT_TYPES = (
    SCORING
    | KICKS
    | frozenset(IMPLIES)
    | {"penalty_missed", "goal_cancelled", "yellow_card", "second_yellow", "red_card", "substitution"}
    | {"var_review", "resumed", "score"}
)


class Kind(StrEnum):
    """What a follower can be told of: the words of `notification_prefs`."""

    REMINDER = "reminder"
    LINEUPS = "lineups"
    KICKOFF = "kickoff"
    GOAL = "goal"
    GOAL_CANCELLED = "goal_cancelled"
    RED_CARD = "red_card"
    PENALTY_MISSED = "penalty_missed"
    HALF_TIME = "half_time"
    EXTRA_TIME = "extra_time"
    SHOOTOUT = "shootout"
    FULL_TIME = "full_time"
    INTERRUPTED = "interrupted"
    POSTPONED = "postponed"  # also cancelled, abandoned, delayed: the words say which
    SECOND_HALF = "second_half"
    PENALTY = "penalty"
    VAR_CHECK = "var_check"
    SHOOTOUT_KICK = "shootout_kick"
    SCORER = "scorer"  # of a goal that was announced without a name
