"""The demo's followers: each shows another part of what a push can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WORLD_CUP = "competitions/world-cup"


@dataclass(frozen=True)
class Fan:
    """
    name: of the phone.
    platform: ios, android or web.
    follows: subject and id as in the API's path, with the body of that request.
    about: description on the page.
    settings: of the account, beside language and time zone.
    payload: of Android, who shows the notification: `notification` the system, `data` the app, which then listens to
        topics.
    watches: matches whose ids begin so are shown as Live Updates.
    silence: why nothing comes, "" where something does.
    """

    name: str
    platform: str
    locale: str
    time_zone: str
    follows: Mapping[str, Mapping[str, Any]]
    about: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    payload: str = "notification"
    watches: str = ""
    silence: str = ""


FANS = (
    Fan(
        name="iPhone",
        platform="ios",
        locale="de",
        time_zone="Europe/Berlin",
        follows={WORLD_CUP: {"notification_prefs": {"penalty_missed": True, "interrupted": True}}},
        about="All of the World Cup, in German. Live Activities; alerts in the thread of their match.",
    ),
    Fan(
        name="Android",
        platform="android",
        locale="en",
        time_zone="Europe/London",
        follows={"teams/argentina": {}},
        about="Argentina alone, in English. The system shows the alerts, on a channel for each kind.",
    ),
    Fan(
        name="Android app",
        platform="android",
        locale="ar",
        time_zone="Asia/Riyadh",
        follows={WORLD_CUP: {}},
        about="All of the World Cup, in Arabic. Data messages by topic; Live Updates of Argentina’s matches.",
        payload="data",
        watches="argentina-",
    ),
    Fan(
        name="Browser",
        platform="web",
        locale="fr",
        time_zone="Europe/Paris",
        follows={WORLD_CUP: {}, "teams/argentina": {"muted": True}},
        about="The World Cup in French, by Web Push. Argentina is muted, so nothing comes of its matches.",
    ),
    Fan(
        name="Spoiler-free iPhone",
        platform="ios",
        locale="es",
        time_zone="Europe/Madrid",
        follows={WORLD_CUP: {}},
        about="All of the World Cup in Spanish, without a score. A newer alert of a match takes the older one’s place.",
        settings={"spoiler_free": True},
    ),
    Fan(
        name="Android at night",
        platform="android",
        locale="pt-BR",
        time_zone="America/Sao_Paulo",
        follows={WORLD_CUP: {}},
        about="All of the World Cup, in Portuguese, in quiet hours.",
        # The longest there are: until a minute before they begin again.
        settings={"quiet_hours": {"since": "00:00", "until": "23:59"}},
        silence="Quiet hours until 23:59: nothing is sent, now or later.",
    ),
)
