"""Senders' words for event types, statuses and sports → ours. Spelling first, then tables of synonyms.

The tables hold unambiguous synonyms from API-Football, football-data.org, ESPN, TheSportsDB, Sportradar and Opta. A
word with two meanings (`penalty`: given or scored?) is stored as received.
"""

from __future__ import annotations

import re
from typing import TypeVar

from db.domain import EVENT_TYPES, Status, status_of

W = TypeVar("W", bound=str)

_BETWEEN_WORDS = re.compile(r"[\s,/()_-]+")

TYPE_SYNONYMS = {
    "goal": "normal_goal regular_goal goal_scored goal_header goal_volley goal_free_kick",
    "own_goal": "og goal_own_goal",
    "penalty_goal": "pg penalty_scored scored_penalty goal_penalty penalty_kick_scored",
    "penalty_missed": "missed_penalty penalty_miss penalty_saved penalty_kick_missed",
    "goal_cancelled": "goal_canceled cancelled_goal canceled_goal goal_disallowed disallowed_goal goal_annulled "
    "goal_overturned goal_disallowed_offside goal_disallowed_foul goal_disallowed_handball var_goal_cancelled",
    "yellow_card": "yellow yc booking",
    "second_yellow": "second_yellow_card 2nd_yellow 2nd_yellow_card yellow_red yellow_red_card y2c",
    "red_card": "red rc straight_red straight_red_card direct_red_card",
    "substitution": "sub subst subs substitute player_substitution",
    "var_review": "var var_check video_review video_assistant_referee",
    "kickoff": "ko 1h first_half 1st_half start_first_half start_1st_half match_start match_started",
    "half_time": "ht end_first_half end_1st_half first_half_end first_half_ended end_of_first_half",
    "second_half": "2h 2nd_half start_second_half start_2nd_half second_half_start second_half_started",
    "extra_time": "et extra_time_start start_extra_time 1st_extra",
    "extra_half_time": "extra_time_half_time et_half_time",
    "extra_second_half": "2nd_extra extra_time_second_half",
    "shootout_start": "start_shootout penalty_shootout_start start_penalty_shootout",
    "shootout_goal": "shootout_scored penalty_shootout_goal penalty_shootout_scored",
    "shootout_missed": "shootout_miss shootout_saved penalty_shootout_missed penalty_shootout_saved",
    "full_time": "ft final final_whistle finished match_end match_ended match_finished end_match end_of_match "
    "aet after_extra_time ap after_penalties",
    "interrupted": "match_interrupted",
    "resumed": "match_resumed",
    "postponed": "match_postponed",
    "cancelled": "canceled match_cancelled match_canceled",
    "abandoned": "match_abandoned",
    "awarded": "match_awarded",
    "score": "score_update",
}

# In addition to `status_of`. API-Football's BT (break in extra time) does not say which break; we take the first.
STATUS_SYNONYMS = {
    Status.SCHEDULED: "ns not_started pre",
    Status.TIME_TBD: "tbd tba time_to_be_defined",
    Status.LIVE: "in in_play in_progress q1 q2 q3 q4",
    Status.FIRST_HALF: "1h first_half_kick_off",
    Status.HALF_TIME: "ht",
    Status.SECOND_HALF: "2h second_half_2nd_half_started",
    Status.BREAK_BEFORE_ET: "bt break_time end_of_regulation",
    Status.ET_FIRST: "et extra_time ot extra_time_first_half",
    Status.ET_HALF_TIME: "halftime_et",
    Status.ET_SECOND: "extra_time_second_half",
    Status.BREAK_BEFORE_PENS: "end_of_extra_time",
    Status.SHOOTOUT: "p penalty_in_progress",
    Status.INTERRUPTED: "int match_interrupted",
    Status.SUSPENDED: "susp match_suspended",
    Status.FINISHED: "ft full_time final match_finished completed",
    Status.POSTPONED: "pst postp match_postponed",
    Status.CANCELLED: "canc match_cancelled match_canceled",
    Status.ABANDONED: "abd match_abandoned",
    Status.AWARDED: "awd technical_loss",
    Status.WALKOVER: "wo",
}

# Words that end the match and say how it was decided.
DECISION_SYNONYMS = {
    "extra_time": "aet after_extra_time final_aet aot after_over_time final_ot",
    "penalties": "ap pen after_penalties final_pen after_penalty_shootout",
}

SPORT_SYNONYMS = {"soccer": "football", "association_football": "football"}


def spelled(word: str) -> str:
    """Normalised spelling: lower case, words separated by one `_`."""
    return _BETWEEN_WORDS.sub("_", word.lower()).strip("_")


def _letters(word: str) -> str:
    """A comparison key: the same for `halfTime` and `half_time`, for `a.e.t.` and `aet`."""
    return word.replace("_", "").replace(".", "")


def _by_letters(synonyms: dict[W, str]) -> dict[str, W]:
    """Our word by the comparison key of each synonym."""
    return {_letters(other): word for word, others in synonyms.items() for other in others.split()}


_TYPES = {_letters(word): word for word in EVENT_TYPES} | _by_letters(TYPE_SYNONYMS)
_STATUSES = {_letters(status): status for status in Status} | _by_letters(STATUS_SYNONYMS)
_DECISIONS = _by_letters(DECISION_SYNONYMS)


def event_type_of(word: str) -> str:
    """Our word for an event type, or the sender's own word in normalised spelling."""
    plain = spelled(word)
    return _TYPES.get(_letters(plain), plain)


def standing_of(word: str) -> tuple[Status | None, str | None]:
    """The status of a word (None if unknown), and how the match was decided where the word says so."""
    plain = spelled(word).removeprefix("status_")  # ESPN's STATUS_FULL_TIME
    decided_by = _DECISIONS.get(_letters(plain))
    if decided_by:
        return Status.FINISHED, decided_by
    return _STATUSES.get(_letters(plain)) or status_of(plain), None


def ends_decided(word: str) -> bool:
    """Whether an event type ends the match and says how it was decided: `AET`, but not `PEN`, which is a kick."""
    return _letters(spelled(word)) in _DECISIONS and event_type_of(word) == "full_time"


def sport_of(word: str) -> str:
    plain = spelled(word)
    return SPORT_SYNONYMS.get(plain, plain)
