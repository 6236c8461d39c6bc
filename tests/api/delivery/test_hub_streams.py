"""The hub's streams: what they are offered, the place they take, and their end."""

from __future__ import annotations

from api.delivery.answer import WaitOutcome
from api.delivery.hub import BEAT_S
from tests.support.hub import V2, Clock, CountingHub, Stream, assert_empty, score


def test_a_stream_is_offered_each_change_until_it_parts(hub: CountingHub) -> None:
    stream = Stream()
    assert hub.join("m", stream)
    assert hub.join("m", stream)
    hub.know(score(V2))
    hub.know(score(V2 + 1))
    hub.part("m", stream)
    hub.part("m", stream)
    hub.know(score(V2 + 2))
    assert stream.offered == [V2, V2 + 1]
    assert_empty(hub)


def test_a_stream_of_many_topics_takes_one_place(hub: CountingHub) -> None:
    stream = Stream()
    for topic in ("m", "n", "/ws"):
        hub.join(topic, stream)
    assert hub.here == 1
    for topic in ("m", "/ws"):
        hub.part(topic, stream)
    assert hub.here == 1
    hub.part("n", stream)
    assert hub.ended == {WaitOutcome.GONE: 1}
    assert_empty(hub)


def test_an_audience_is_counted_by_topic(hub: CountingHub) -> None:
    first, second = Stream(), Stream()
    for topic, stream in (("m", first), ("m", second), ("n", first)):
        hub.join(topic, stream)
    assert (hub.audience("m"), hub.audience("n"), hub.audience("o")) == (2, 1, 0)
    hub.part("m", first)
    assert hub.audience("m") == 1


def test_a_full_hub_takes_no_more_streams_but_more_topics_of_those_it_has(hub: CountingHub) -> None:
    streams = [Stream() for _ in range(hub.most)]
    assert all(hub.join("m", stream) for stream in streams)
    assert not hub.join("m", Stream())
    assert hub.join("n", streams[0])
    assert hub.ended == {WaitOutcome.FULL: 1}


def test_streams_beat_while_there_are_any(hub: CountingHub, clock: Clock) -> None:
    stream = Stream()
    hub.join("m", stream)
    clock.pass_(int(BEAT_S * 2_000) + 1)
    assert stream.beats == 2
    hub.part("m", stream)
    clock.pass_(int(BEAT_S * 1_000))
    assert (stream.beats, clock.planned) == (2, {})
    hub.join("m", stream)
    clock.pass_(int(BEAT_S * 1_000))
    assert stream.beats == 3


def test_an_emptied_hub_ends_its_streams_and_takes_none(hub: CountingHub) -> None:
    stream = Stream()
    hub.join("m", stream)
    hub.join("n", stream)
    hub.drain()
    assert stream.ends == 1
    assert not hub.join("m", Stream())
    assert hub.ended == {WaitOutcome.DRAINING: 1}
