"""Which reader each name of FEEDS stands for. To add one: a branch here, its settings, a page in docs/feeds.md."""

from __future__ import annotations

from config import Settings, words
from db.domain.errors import Refused
from feeds.pull.mapping import PRESETS, load
from workers.feed.kafka import KafkaReader, options_of
from workers.feed.outlet import KafkaOutlet
from workers.feed.pull import PullReader
from workers.feed.session import FeedReader
from workers.feed.sportradar import SportradarApi, SportradarStream
from workers.feed.sportradar_rest import SportradarRest
from workers.feed.statsperform import StatsPerformApi, StatsPerformSocket


def readers(settings: Settings) -> list[FeedReader]:
    """And the outlet, where one is set. Raises Refused where a feed lacks a setting, or its mapping is wrong."""
    made = [reader for name in dict.fromkeys(words(settings.feeds)) for reader in _readers(name, settings)]
    if settings.kafka_out:
        options = options_of(settings.kafka_options)
        made.append(KafkaOutlet(settings.kafka_servers, settings.kafka_out, options))
    names = [reader.name for reader in made]
    if len(set(names)) < len(names):
        raise Refused(f"FEEDS names one feed twice: {', '.join(names)}.")
    return made


def _readers(name: str, settings: Settings) -> list[FeedReader]:
    if name == "sportradar":
        return _sportradar(settings)
    if name == "statsperform":
        return [_statsperform(settings)]
    if name == "kafka":
        servers = _needed(settings, "kafka_servers", "kafka")
        options = options_of(settings.kafka_options)
        return [KafkaReader(servers, settings.kafka_topic, settings.kafka_group, options)]
    return [_pull(name, settings)]


def _sportradar(settings: Settings) -> list[FeedReader]:
    """Stream and REST run side by side, so each counts its own requests: half of the quota for each."""
    key = _needed(settings, "sportradar_key", "sportradar")
    apis = [
        SportradarApi(settings.sportradar_url, key, settings.sportradar_level, settings.sportradar_follows)
        for _ in range(2)
    ]
    return [SportradarStream(apis[0]), SportradarRest(apis[1])]


def _statsperform(settings: Settings) -> FeedReader:
    api = StatsPerformApi(
        settings.statsperform_rest_url,
        settings.statsperform_oauth_url,
        _needed(settings, "statsperform_outlet_key", "statsperform"),
        settings.statsperform_secret,
        words(settings.statsperform_calendars),
    )
    return StatsPerformSocket(settings.statsperform_url, api)


def _pull(name: str, settings: Settings) -> PullReader:
    mapping = load(name)
    if name == "openligadb":
        return PullReader(mapping, settings.openligadb_url, words(settings.openligadb_leagues))
    if name == "football_data":
        key = _needed(settings, "football_data_key", "football_data")
        return PullReader(mapping, settings.football_data_url, words(settings.football_data_competitions), key)
    if mapping.name in PRESETS:
        raise Refused(f"{name} has the name of a preset; call it something else.")
    if not mapping.request.base:
        raise Refused(f"The mapping file {name} needs request.base, the provider's URL.")
    keys = dict(word.split("=", 1) for word in words(settings.feed_keys))
    return PullReader(mapping, mapping.request.base, mapping.request.items, keys.get(mapping.name, ""))


def _needed(settings: Settings, setting: str, feed: str) -> str:
    value = str(getattr(settings, setting))
    if not value:
        raise Refused(f"FEEDS names {feed}, which needs {setting.upper()}.")
    return value
