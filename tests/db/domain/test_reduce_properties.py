"""Properties of reduce over generated matches: any order, any number of repeats."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from db.domain import FactKind, Match, Update, reduce
from tests.support.updates import play, shown, update_of

TYPES = ["goal", "own_goal", "penalty_goal", "yellow_card", "half_time", "second_half", "full_time", "streaker"]


@st.composite
def stories(draw: st.DrawFn) -> list[Update]:
    """A match told by events with distinct ids and stamps, each with the score of its moment; some goals taken back."""
    home = away = 0
    updates, standing = [], []
    for n in range(draw(st.integers(1, 10))):
        second, minute = 10 * n + 1, min(n * 9 + 1, 90)
        type_ = draw(st.sampled_from(TYPES))
        if type_ in ("goal", "own_goal", "penalty_goal"):
            team = draw(st.sampled_from(["home", "away"]))
            home, away = home + (team == "home"), away + (team == "away")
            standing.append((f"e{n}", team))
            updates.append(
                update_of(type_, second, event_id=f"e{n}", team=team, minute=minute, home_score=home, away_score=away)
            )
        else:
            updates.append(update_of(type_, second, event_id=f"e{n}", minute=minute, home_score=home, away_score=away))
        if standing and draw(st.integers(0, 3)) == 0:
            gone, team = standing.pop()
            home, away = home - (team == "home"), away - (team == "away")
            cancelled = {"event_id": f"c{n}", "voids": gone, "home_score": home, "away_score": away, "team": team}
            updates.append(update_of("goal_cancelled", second + 5, minute=minute, **cancelled))
    return updates


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_any_order_of_arrival_ends_in_the_same_match(data: st.DataObject) -> None:
    story = data.draw(stories())
    ordered, _ = play(*story)
    mixed, _ = play(*data.draw(st.permutations(story)))
    assert shown(mixed) == shown(ordered)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_repeats_change_nothing(data: st.DataObject) -> None:
    story = data.draw(stories())
    again = data.draw(st.lists(st.sampled_from(story), max_size=8))
    match, _ = play(*story)
    repeated, facts = play(*again, match=match) if again else (match, [])
    assert (shown(repeated), facts) == (shown(match), [])


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_event_is_added_twice_and_nothing_told_again_is_a_fact(data: st.DataObject) -> None:
    story = data.draw(st.permutations(data.draw(stories())))
    match, facts = play(*story)
    added = [fact.event_id for fact in facts if fact.kind is FactKind.ADDED]
    assert len(added) == len(set(added))
    assert play(*story, match=match)[1] == []


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_the_facts_tell_exactly_what_changed(data: st.DataObject) -> None:
    match: Match | None = None
    for update in data.draw(st.permutations(data.draw(stories()))):
        before = match
        match, facts = reduce(match, update)
        changed = {fact.kind for fact in facts}
        assert (FactKind.SCORE in changed) == ((before.score if before else None) != match.score)
        assert (FactKind.STATUS in changed) == (before is None or before.status != match.status)
        assert len(facts) == len(set(facts))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_told_in_order_the_score_is_always_the_newest_scoreboard(data: st.DataObject) -> None:
    match: Match | None = None
    for update in sorted(data.draw(stories()), key=lambda update: update.stamp.at):
        match, _ = reduce(match, update)
        assert match.score == update.score
