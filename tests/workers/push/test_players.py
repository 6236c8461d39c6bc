"""Who follows a player hears what names the player, and of its end, beside what else they follow."""

from __future__ import annotations

from db.domain import Follow, Kind, Person, Platform, Subject, mask_of
from tests.support.push import ALL, FINAL, START, World

MESSI, ALVAREZ = Person("Messi", "p10"), Person("Álvarez", "p9")


def kinds(world: World, token: str) -> list[Kind]:
    return [message.kind for to, message in world.phones.sent if to == token]


def follow_messi(world: World, token: str, *others: Follow) -> None:
    user_id = world.fan(token, subject=Subject.PLAYER, to="p10")
    for follow in others:
        world.accounts.follow(user_id, follow, now_ms=START)


def test_a_players_goals_and_assists_reach_who_follows_the_player_once(world: World) -> None:
    follow_messi(world, "player")
    follow_messi(world, "both", Follow(Subject.TEAM, "arg", ALL))
    follow_messi(world, "ends too", Follow(Subject.COMPETITION, "cup", mask_of([Kind.FULL_TIME])))
    follow_messi(world, "muted", Follow(Subject.MATCH, FINAL, 0))
    world.fan("team", subject=Subject.TEAM, to="arg")
    world.kick_off()
    world.say(60, "goal", score=(1, 0), player=ALVAREZ)
    assert sorted(token for token, _ in world.phones.sent) == ["both", "team"]
    world.phones.sent.clear()
    world.say(160, "goal", score=(2, 0), player=MESSI)
    world.say(260, "goal", score=(3, 0), player=ALVAREZ, assist=MESSI)
    assert kinds(world, "player") == kinds(world, "both") == kinds(world, "ends too") == [Kind.GOAL, Kind.GOAL]
    assert kinds(world, "muted") == []
    assert "Messi" in world.phones.sent[0][1].body


def test_a_players_other_news_does_not_bring_the_teams(world: World) -> None:
    follow_messi(world, "player")
    world.kick_off()
    world.say(60, "goal", score=(1, 0), player=ALVAREZ)
    world.say(61, "red_card", score=(1, 0), player=MESSI)
    world.say(200, "full_time", score=(1, 0))
    assert kinds(world, "player") == [Kind.RED_CARD]


def test_the_end_of_a_players_goal_reaches_who_heard_of_it(world: World) -> None:
    follow_messi(world, "player")
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1", player=MESSI)
    follow_messi(world, "late")
    world.say(120, "goal_cancelled", score=(0, 0), voids="g1")
    assert kinds(world, "player") == [Kind.GOAL, Kind.GOAL_CANCELLED]
    assert kinds(world, "late") == []


def test_a_scorer_named_after_the_goal_reaches_who_follows_the_player_and_so_does_the_end(world: World) -> None:
    follow_messi(world, "player")
    follow_messi(world, "both", Follow(Subject.TEAM, "arg", ALL & ~mask_of([Kind.SCORER])))
    world.fan("team", subject=Subject.TEAM, to="arg", kinds=mask_of([Kind.GOAL, Kind.GOAL_CANCELLED]))
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1")
    world.say(75, "goal", score=(1, 0), id="g1", player=MESSI)
    world.say(80, "goal", score=(1, 0), id="g1", player=MESSI, minute=2)
    assert kinds(world, "team") == [Kind.GOAL]
    assert kinds(world, "player") == [Kind.SCORER]
    assert world.phones.sent[-1][1].body == "Goal for Argentina! Messi"
    world.say(160, "goal_cancelled", score=(0, 0), voids="g1")
    assert kinds(world, "team") == [Kind.GOAL, Kind.GOAL_CANCELLED]
    assert kinds(world, "player") == [Kind.SCORER, Kind.GOAL_CANCELLED]
    assert kinds(world, "both") == [Kind.GOAL, Kind.SCORER, Kind.GOAL_CANCELLED]


def test_a_scorer_who_was_named_with_the_goal_or_whose_goal_nobody_heard_of_is_no_news(world: World) -> None:
    follow_messi(world, "player")
    world.kick_off()
    world.say(60, "goal", score=(1, 0), id="g1", player=MESSI)
    world.say(75, "goal", score=(1, 0), id="g1", player=MESSI, minute=2)
    world.say(800, "goal", score=(2, 0), id="old", at=START + 100_000)
    world.say(810, "goal", score=(2, 0), id="old", player=MESSI)
    assert kinds(world, "player") == [Kind.GOAL]


def test_a_phone_whose_owner_follows_a_player_is_written_to_itself(world: World) -> None:
    """No topic tells of players, so its topics are forgotten and not taken again."""
    user_id = world.fan("phone", platform=Platform.ANDROID, topics="en", subject=Subject.TEAM, to="arg")
    world.accounts.follow(user_id, Follow(Subject.PLAYER, "p10", ALL), now_ms=START)
    (device,) = world.accounts.profile(user_id).devices
    assert device.topics is None
    user_id = world.fan("again", platform=Platform.ANDROID, topics="en", subject=Subject.PLAYER, to="p10")
    (device,) = world.accounts.profile(user_id).devices
    assert device.topics is None
    world.kick_off()
    world.say(60, "goal", score=(1, 0), player=MESSI)
    assert sorted(token for token, _ in world.phones.sent) == ["again", "phone"]
