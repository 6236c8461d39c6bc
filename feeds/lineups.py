"""Line-ups as news: an event of the timeline, once the teams have confirmed them."""

from __future__ import annotations

from db.domain import Event, Phase, Update, phase_of


def lineups_told(state: Update) -> list[Update]:
    """state: of a document. Before the start alone: a feed that is read from half-time on has no news of line-ups.

    The event is the same however often it is told.
    """
    is_to_come = state.status is None or phase_of(state.status) is Phase.SCHEDULED
    if state.lineups is None or not state.lineups.confirmed or not is_to_come or state.stamp.undated:
        return []
    event = Event("lineups", "lineups", state.stamp, since=state.stamp, created_at=state.received_at)
    return [Update(state.match_id, state.stamp, state.received_at, event=event)]
