"""`reduce`: a match and what a provider says of it → the match that follows, and the facts that are new.

Every field is a register that the newest stamp wins, every event a register of its own, and the score is computed
from them: so repeats change nothing, and late or disordered messages end in the state that order would have given.
"""

from __future__ import annotations

from dataclasses import replace

from db.domain.match import Event, Fact, FactKind, Match, Score, Stamp, period_at
from db.domain.update import MatchInfo, Update
from db.domain.words import IMPLIES, IN_PLAY, KICKS, SCORING, Phase, Side, Status, phase_of

_ET = (Status.BREAK_BEFORE_ET, Status.ET_FIRST, Status.ET_HALF_TIME, Status.ET_SECOND)
_BY_PERIOD = {1: Status.FIRST_HALF, 2: Status.SECOND_HALF, 3: Status.ET_FIRST, 4: Status.ET_SECOND, 5: Status.SHOOTOUT}
# The last period that has been played, wholly or in part.
_PLAYED = {
    **{_BY_PERIOD[period]: period for period in _BY_PERIOD},
    **{Status.HALF_TIME: 1, Status.BREAK_BEFORE_ET: 2, Status.ET_HALF_TIME: 3, Status.BREAK_BEFORE_PENS: 4},
}
# Authority decided these scores; the goals of the play stand beside them.
_DECREED = (Status.AWARDED, Status.WALKOVER)


def reduce(match: Match | None, update: Update) -> tuple[Match, tuple[Fact, ...]]:
    """Pure and total: any update is accepted, and (match, ()) comes back where nothing visible changed."""
    before = match or Match(update.match_id)
    update = _credit(before, update)
    after = _merge_info(before, update)
    if not _is_edit(before, update):
        after = _merge_status(after, update)
        after = _merge_clock(after, update)
        after = _merge_score(after, update)
    after = _merge_event(after, update)
    after = _void_missing(after, update)
    after = _void_named(before, after, update)
    after = _decide(replace(after, score=_score(after), shootout=_shootout(after)))
    return after, facts_between(match, after)


def _credit(match: Match, update: Update) -> Update:
    """A goal told without its side goes to the side whose score it raises, where exactly one does."""
    event, told, shown = update.event, update.score, match.score or Score(0, 0)
    if event is None or told is None or event.type not in SCORING or event.team is not None:
        return update
    raised = [side for side in Side if told.of(side) > shown.of(side)]
    known = match.events.get(event.id)
    side = known.team if known and known.team else raised[0] if len(raised) == 1 else None
    return replace(update, event=replace(event, team=side)) if side else update


def _is_edit(match: Match, update: Update) -> bool:
    """A known event told again speaks of then, not of now: it moves neither clock nor scoreboard.

    Unless it tells another score than it did: then the provider corrects its scoreboard.
    """
    event = update.event
    known = match.events.get(event.id) if event else None
    if event is None or known is None or known.type == "":
        return False
    return (event.home_score, event.away_score) == (known.home_score, known.away_score)


def _merge_info(match: Match, update: Update) -> Match:
    info = update.info
    if info is None or not update.stamp.supersedes(match.info_at):
        return _fill_info(match, info)
    said = {name: value for name in MatchInfo.__slots__ if (value := getattr(info, name)) is not None}
    return replace(match, info_at=update.stamp, **said)


def _fill_info(match: Match, info: MatchInfo | None) -> Match:
    """An older message still tells what nobody has told yet."""
    if info is None:
        return match
    said = {
        name: value
        for name in MatchInfo.__slots__
        if (value := getattr(info, name)) is not None and getattr(match, name) is None
    }
    return replace(match, **said) if said else match


def _merge_status(match: Match, update: Update) -> Match:
    status = _status_said(match, update)
    if status is None:
        return match
    if update.stamp.undated:
        return replace(match, status=status) if _undated_wins(match, status) else match
    kind = update.event.type if update.event else None
    weak = update.status is None and kind not in IMPLIES
    wins = update.stamp.newer(match.status_at) if weak else update.stamp.supersedes(match.status_at)
    if not wins:
        return match
    # What play implies holds until somebody says where the match stands, be that said of a moment before.
    status_at = match.status_at if weak and kind in IN_PLAY else update.stamp
    after = replace(match, status=status, status_at=status_at, decided_by=update.decided_by or match.decided_by)
    return _played_on(after)


def _played_on(match: Match) -> Match:
    """A rest told late: where a later moment of play is known already, play has gone on since."""
    moments = [e for e in match.events.values() if e.type in IN_PLAY and e.since.newer(match.status_at)]
    if not moments or not _is_resting(match):
        return match
    last = max(moments, key=lambda event: (event.since.at, event.since.clock, event.id))
    if not _revives(match, last.period, last.minute):
        return match
    return replace(match, status=_in_play(match, last.period, last.minute))


def _undated_wins(match: Match, status: Status) -> bool:
    """A status without a time is news by its arrival, save `scheduled`: that is repeated with every fixture list."""
    return phase_of(status) is not Phase.SCHEDULED or match.phase in (Phase.SCHEDULED, Phase.OFF)


def _status_said(match: Match, update: Update) -> Status | None:
    """What the update says of the status: in so many words, by its event's type, or by play itself."""
    if update.status is not None:
        return update.status
    kind = update.event.type if update.event else None
    if kind == "kickoff" and match.sport != "football":
        return Status.LIVE
    if kind in IMPLIES:
        return IMPLIES[kind]
    if kind == "resumed":
        return _in_play(match, update.period, update.minute)
    # Where nobody ever says the status, each goal says how far play has come.
    untold = match.status_at is None and match.status in _PLAYED
    if kind in IN_PLAY and (untold or _is_resting(match)) and _revives(match, update.period, update.minute):
        return _in_play(match, update.period, update.minute)
    # A word never heard of: the match goes on, and is certainly not over.
    return Status.LIVE if update.status_word and match.phase is Phase.SCHEDULED else None


def _is_resting(match: Match) -> bool:
    return match.phase in (Phase.SCHEDULED, Phase.BREAK)


def _revives(match: Match, period: int | None, minute: int | None) -> bool:
    """A goal ends a break only if it falls after it: one of the first half may be entered during half-time."""
    return match.sport != "football" or (period or period_at(minute or 0)) > _PLAYED.get(match.status, 0)


def _in_play(match: Match, period: int | None, minute: int | None) -> Status:
    if match.sport != "football":
        return Status.LIVE
    return _BY_PERIOD.get(period or period_at(minute or 0), Status.LIVE)


def _merge_clock(match: Match, update: Update) -> Match:
    if (update.minute is None and update.clock is None) or not update.stamp.supersedes(match.clock_at):
        return match
    after = replace(
        match,
        minute=update.minute,
        added_minute=update.added_minute,
        period=update.period or match.period,
        clock=update.clock,
        clock_at=update.stamp,
    )
    return after if clock_of(after) == clock_of(match) else replace(after, minute_at=update.received_at)


def clock_of(match: Match) -> tuple[int | None, int | None, int | None, str | None]:
    return match.minute, match.added_minute, match.period, match.clock


def _merge_score(match: Match, update: Update) -> Match:
    if update.score is not None and update.stamp.supersedes(match.told_at):
        match = _strike_lost_goals(match, update, update.score)
        match = replace(match, told=update.score, told_at=update.stamp)
    if update.shootout is not None and update.stamp.supersedes(match.kicks_told_at):
        match = replace(match, kicks_told=update.shootout, kicks_told_at=update.stamp)
    return match


def _strike_lost_goals(match: Match, update: Update, told: Score) -> Match:
    """A scoreboard that falls without naming the goal takes back the last goal of that side.

    Several providers tell a cancelled goal in no other way than this.
    """
    silent = update.event is None or update.event.type in ("score", "goal_cancelled")
    named = update.voids is not None or update.present is not None
    if not silent or named or (update.status or match.status) in _DECREED:
        return match
    shown = match.score
    for side in Side:
        lost = shown.of(side) - told.of(side) if shown else 0
        goals = [e for e in match.timeline if e.counts and e.team is side and update.stamp.newer(e.since)]
        for goal in goals[len(goals) - lost :] if 0 < lost <= len(goals) else ():
            match = _void(match, goal.id, update.stamp)
    return match


def _merge_event(match: Match, update: Update) -> Match:
    told = update.event
    if told is None:
        return match
    known = match.events.get(told.id)
    return _with_event(match, _merged(known, told))


def _merged(known: Event | None, told: Event) -> Event:
    """Content by the newest stamp; validity by the earliest telling since it was last voided."""
    if known is None:
        return told
    since = known.since
    if known.type == "":
        since = told.since
    elif known.voided:
        since = told.since if told.since.newer(known.void_at) else since
    elif since.newer(told.since) and (known.void_at is None or told.since.newer(known.void_at)):
        since = told.since
    newest = told if known.type == "" or told.stamp.supersedes(known.stamp) else known
    created_at = min(known.created_at or told.created_at, told.created_at)
    return replace(newest, since=since, void_at=known.void_at, created_at=created_at)


def _void_named(before: Match, match: Match, update: Update) -> Match:
    if update.voids is not None:
        return _void(match, update.voids, update.stamp)
    event = update.event
    if event is None or event.type != "goal_cancelled" or update.score is not None:
        return match
    if event.id in before.events:
        # Told again: the goal it meant is struck already, and the last that counts now is another.
        return match
    goals = [e for e in match.timeline if e.counts and event.team in (None, e.team) and update.stamp.newer(e.since)]
    return _void(match, goals[-1].id, update.stamp) if goals else match


def _void(match: Match, event_id: str, stamp: Stamp) -> Match:
    """Mark it void; one never seen gets a tombstone, so that its late telling does not count."""
    known = match.events.get(event_id) or Event(event_id, "", Stamp(0), Stamp(0), created_at=stamp.at)
    return _with_event(match, replace(known, void_at=stamp)) if stamp.newer(known.void_at) else match


def _void_missing(match: Match, update: Update) -> Match:
    if update.present is None:
        return match
    for event in list(match.events.values()):
        ours = event.since.source == update.stamp.source and event.type in SCORING
        if ours and not event.voided and event.id not in update.present and update.stamp.newer(event.stamp):
            match = _void(match, event.id, update.stamp)
    return match


def _with_event(match: Match, event: Event) -> Match:
    return replace(match, events={**match.events, event.id: event})


def _score(match: Match) -> Score | None:
    """What the provider's scoreboard last said, plus the goals it cannot have counted yet."""
    if match.told is None:
        return _tally([event for event in match.events.values() if event.counts])
    score = match.told
    for event in match.events.values():
        if event.type in SCORING and event.team is not None:
            score = score.plus(event.team, _since_told(event, match.told_at))
    return score


def _shootout(match: Match) -> Score | None:
    """Kicks scored, beside the score and never in it."""
    if match.kicks_told is not None:
        return match.kicks_told
    kicks = [event for event in match.events.values() if event.type in KICKS and event.team and not event.voided]
    if not kicks:
        return Score(0, 0) if match.status is Status.SHOOTOUT else None
    return _tally([kick for kick in kicks if kick.type == "shootout_goal"]) or Score(0, 0)


def _tally(goals: list[Event]) -> Score | None:
    if not goals:
        return None
    home = sum(goal.team is Side.HOME for goal in goals)
    return Score(home, len(goals) - home)


def _since_told(event: Event, told_at: Stamp | None) -> int:
    """How many goals (+1, 0, -1) the event adds to a scoreboard read at `told_at`."""
    if event.counts:
        return 1 if event.since.newer(told_at) else 0
    voided_later = event.void_at is not None and event.void_at.newer(told_at)
    return -1 if voided_later and not event.since.newer(told_at) else 0


def _decide(match: Match) -> Match:
    """How a finished match was decided, where the provider has not said."""
    if match.phase is not Phase.FINISHED or match.status in _DECREED:
        return match
    if match.shootout is not None or any(event.type == "shootout_start" for event in match.events.values()):
        decided = "penalties"
    elif _went_to_extra_time(match):
        decided = "extra_time"
    else:
        decided = match.decided_by or "regular"
    return replace(match, decided_by=decided) if decided != match.decided_by else match


def _went_to_extra_time(match: Match) -> bool:
    if match.sport != "football":
        return False
    return (match.minute or 0) > 105 or any(IMPLIES.get(event.type) in _ET for event in match.events.values())


def is_visible(before: Match | None, after: Match, facts: tuple[Fact, ...]) -> bool:
    """Whether a reader could tell the two apart: then, and only then, the match gets a new version."""
    if before is None or facts:
        return True
    return (clock_of(before), before.decided_by) != (clock_of(after), after.decided_by)


def facts_between(before: Match | None, after: Match) -> tuple[Fact, ...]:
    """What changed, in the order a story would tell it: events first, then score, status, the rest."""
    known = before.events if before else {}
    facts = [fact for event in after.events.values() if (fact := _event_fact(known.get(event.id), event))]
    was = before.score if before else None
    if after.score != was:
        facts.append(Fact(FactKind.SCORE, was=f"{was.home}-{was.away}" if was else None))
    if before is None or before.shootout != after.shootout:
        facts += [Fact(FactKind.SCORE)] if after.shootout else []
    if before is None or before.status != after.status:
        facts.append(Fact(FactKind.STATUS, was=before.status if before else None))
    if before is None or _info(before) != _info(after):
        facts.append(Fact(FactKind.INFO))
    return tuple(dict.fromkeys(facts))


def _event_fact(before: Event | None, after: Event) -> Fact | None:
    if before is after or before == after or after.type == "":
        return None
    if before is None or before.type == "":
        return Fact(FactKind.VOIDED if after.voided else FactKind.ADDED, after.id)
    if before.voided != after.voided:
        return Fact(FactKind.VOIDED if after.voided else FactKind.RESTORED, after.id)
    return Fact(FactKind.EDITED, after.id, was=before.type) if _content(before) != _content(after) else None


def _content(event: Event) -> tuple[object, ...]:
    said = (event.type, event.team, event.minute, event.added_minute, event.period, event.player, event.assist)
    return (*said, event.detail, event.home_score, event.away_score)


def _info(match: Match) -> tuple[object, ...]:
    said = (match.sport, match.home, match.away, match.competition, match.venue, match.start_time)
    return (*said, match.coverage, match.replaced_by)
