"""Accounts, devices and follows on the wire. A body that does not match is refused field by field."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from flask import request
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError, model_validator

from api.services import here
from api.web.schemas import Body, zone
from db.domain import DEFAULT_KINDS, VARIANTS, Kind, Payload, Platform, Quiet, is_push_endpoint
from db.domain.errors import Fault, Refused
from db.domain.web_push import is_auth_secret, is_public_key, services_at

B = TypeVar("B", bound=BaseModel)

# The largest is a web device with its keys, about 700 bytes.
BODY_MAX = 16 * 1024


def _endpoint(url: str) -> str:
    """We post to it, so a client must choose neither host nor port freely."""
    emulator = here().settings.webpush_url
    is_ours = is_push_endpoint(url, services_at(emulator))
    if not is_ours or not (emulator or urlsplit(url).port in (None, 443)):
        raise ValueError("not an https endpoint of a push service")
    return url


def _public_key(text: str) -> str:
    if not is_public_key(text):
        raise ValueError("not a point of the curve P-256, uncompressed")
    return text


def _auth_secret(text: str) -> str:
    if not is_auth_secret(text):
        raise ValueError("not 16 bytes")
    return text


def _variant(name: str | None) -> str | None:
    if name is not None and name not in VARIANTS:
        raise ValueError(f"not one of {', '.join(VARIANTS)}")
    return name


def _clock(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text, re.ASCII):
        raise ValueError("a time of day such as 22:30")
    return text


Clock = Annotated[str, AfterValidator(_clock), Field(examples=["22:30"])]
Locale = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$", description="BCP 47")]
Zone = Annotated[str, AfterValidator(zone), Field(examples=["Europe/Berlin"])]
Base64Url = r"^[A-Za-z0-9_-]+={0,2}$"


class Nothing(Body):
    """No body, or an object without fields."""


class NewAccount(Body):
    user_id: str
    token: Annotated[str, Field(description="the bearer token, shown this once")]


class QuietHoursBody(Body):
    """Times of day in the account's time zone. If `since` is later than `until`, `until` is on the next day."""

    since: Clock
    until: Clock

    @model_validator(mode="after")
    def _some(self) -> QuietHoursBody:
        if self.since == self.until:
            raise ValueError("since and until are the same")
        return self

    @classmethod
    def of(cls, quiet: Quiet | None) -> QuietHoursBody | None:
        return cls(since=_clock_time(quiet.since), until=_clock_time(quiet.until)) if quiet else None

    @property
    def quiet(self) -> Quiet:
        return Quiet(_minutes(self.since), _minutes(self.until))


class AccountSettings(Body):
    """Fields that are left out stay as they are; quiet_hours null ends them."""

    time_zone: Zone = "UTC"
    quiet_hours: QuietHoursBody | None = None
    spoiler_free: Annotated[bool, Field(description="alerts give neither the score nor what happened")] = False
    locale: Locale = "en"


class SubscriptionKeys(Body):
    p256dh: Annotated[str, Field(pattern=Base64Url, max_length=128), AfterValidator(_public_key)]
    auth: Annotated[str, Field(pattern=Base64Url, max_length=32), AfterValidator(_auth_secret)]


class Subscription(Body):
    """A browser's PushSubscription, as its toJSON() gives it (W3C Push API)."""

    endpoint: Annotated[str, Field(max_length=1_000), AfterValidator(_endpoint)]
    keys: SubscriptionKeys
    expirationTime: float | None = None


class DeviceIn(Body):
    environment: Annotated[
        Literal["production", "sandbox"], Field(description="of APNs; a sandbox token is an app built for debugging")
    ] = "production"
    kind: Annotated[Literal["token", "fid"], Field(description="fid: a Firebase installation id")] = "token"
    locale: Annotated[Locale | None, Field(description="the account's unless given")] = None
    topics: Annotated[
        str | None,
        AfterValidator(_variant),
        Field(description="the variant whose topics this app has subscribed to; it then gets no messages by token"),
    ] = None
    live_activity_token: Annotated[
        str | None,
        Field(
            pattern=r"^[0-9A-Fa-f]{16,400}$",
            description="of `ios`, from iOS 18 on: the push-to-start token by which matches begin as Live Activities",
        ),
    ] = None
    subscription: Annotated[Subscription | None, Field(description="of `web`")] = None
    payload: Annotated[
        Payload,
        Field(description="of `android`. notification: the system shows it; data: the app does, from a data message"),
    ] = Payload.NOTIFICATION


class DeviceOut(Body):
    platform: Platform
    token: str
    environment: str
    kind: str
    locale: str | None
    topics: str | None
    payload: Payload
    live_activity: Annotated[bool, Field(description="whether it has a `live_activity_token`")]
    registered_at: datetime


class FollowIn(Body):
    """Kinds that are left out take their default; muted is all of them off."""

    notification_prefs: Annotated[dict[Kind, bool], Field(examples=[{"red_card": False}], default_factory=dict)]
    muted: bool = False

    @property
    def kinds(self) -> list[Kind]:
        return [] if self.muted else [k for k in Kind if self.notification_prefs.get(k, k in DEFAULT_KINDS)]


class ChannelOut(Body):
    environment: str
    channel_id: str


class FollowOut(Body):
    id: str
    notification_prefs: dict[Kind, bool]
    muted: bool
    topics: Annotated[list[str] | None, Field(description="FCM topics to subscribe to; null: messages by token")]
    channels: Annotated[list[ChannelOut], Field(description="APNs broadcast channels for Live Activities")]


class WebPushKey(Body):
    public_key: Annotated[str | None, Field(description="VAPID, base64url; null: no alerts to browsers from here")]


class Follows(Body):
    matches: list[FollowOut]
    teams: list[FollowOut]
    competitions: list[FollowOut]
    players: list[FollowOut]


class Me(AccountSettings):
    user_id: str
    topics: Annotated[str | None, Field(description="the variant of FCM topics; null where topics cannot be used")]
    devices: list[DeviceOut]
    follows: Follows


def read(model: type[B]) -> B:
    """Parse the request's body; no body counts as `{}`. Raises Refused `bad_request`, `too_large` or `invalid`."""
    if (request.content_length or 0) > BODY_MAX or len(data := request.get_data(cache=False)) > BODY_MAX:
        raise Refused(f"The body is larger than {BODY_MAX} bytes.", "too_large")
    try:
        return TypeAdapter(model).validate_json(data or b"{}")
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        if errors[0]["type"] == "json_invalid":
            raise Refused("The body is not JSON.", "bad_request") from None
        faults = tuple(Fault(".".join(map(str, e["loc"])), e["msg"].removeprefix("Value error, ")) for e in errors)
        raise Refused("The body is not understood.", "invalid", faults) from None


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _clock_time(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
