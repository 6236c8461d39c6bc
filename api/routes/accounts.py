"""Anonymous accounts and their devices. The bearer of the token may read, change and delete the account."""

from __future__ import annotations

import re

from flask import Blueprint, Response

from api.delivery import render
from api.services import here, now_ms
from api.web import account_schemas as bodies
from api.web import auth
from api.web.follows import follows_body
from api.web.openapi import documented
from api.web.responses import private
from db.domain import Device, Payload, Platform, Subject, topics_for, variant_of
from db.domain.errors import Fault, Refused
from db.sql.accounts import Profile

blueprint = Blueprint("accounts", __name__)

# APNs: hex, of a size that may grow (Apple, "Registering your app with APNs"). FCM: opaque, about 160 characters, and
# installation ids of 22. Web: the app's own name for the subscription.
TOKENS = {
    Platform.IOS: re.compile(r"[0-9a-f]{16,400}"),
    Platform.ANDROID: re.compile(r"[A-Za-z0-9_:.-]{8,1000}"),
    Platform.WEB: re.compile(r"[A-Za-z0-9_.:-]{1,64}"),
}
ERRORS = (401, 422, 429, 503)
BODY_ERRORS = (400, 413, *ERRORS)
# Settings whose field of Account has another name.
FIELDS = {"quiet_hours": "quiet"}


@blueprint.post("/api/users")
@documented(
    "Open an account",
    bodies.NewAccount,
    tag="accounts",
    status=201,
    body=bodies.Nothing,
    errors=(400, 413, 422, 429, 503),
)
def open_account() -> Response:
    """Anonymous: no data is needed. The token is shown once and only its hash is kept; its bearer is the user."""
    bodies.read(bodies.Nothing)
    auth.sign_up()
    user_id, token = here().accounts.create(now_ms=now_ms())
    return private({"user_id": user_id, "token": token}, 201)


@blueprint.get("/api/me")
@documented("The account, its devices and follows", bodies.Me, tag="accounts", errors=(401, 429, 503), bearer=True)
def me() -> Response:
    """`topics` of a follow are FCM topics that an app may subscribe to instead of getting messages by token."""
    return private(_me(here().accounts.profile(auth.reader().id)))


@blueprint.patch("/api/me")
@documented("Change settings", bodies.Me, tag="accounts", body=bodies.AccountSettings, errors=BODY_ERRORS, bearer=True)
def change_settings() -> Response:
    """Fields that are left out stay as they are. During quiet hours no alert is sent or kept for later.
    Only the cancellation of a goal that was sent before is still sent, without a sound."""
    account, settings = auth.writer(), bodies.read(bodies.AccountSettings)
    quiet = settings.quiet_hours.quiet if settings.quiet_hours else None
    values = {**settings.model_dump(exclude={"quiet_hours"}), "quiet_hours": quiet}
    changes = {FIELDS.get(name, name): values[name] for name in settings.model_fields_set}
    here().accounts.change(account.id, changes)
    return private(_me(here().accounts.profile(account.id)))


@blueprint.post("/api/me/token")
@documented(
    "Replace the bearer token",
    bodies.NewAccount,
    tag="accounts",
    status=201,
    body=bodies.Nothing,
    errors=BODY_ERRORS,
    bearer=True,
)
def rotate_token() -> Response:
    """The old token is void at once. The new one is shown once and only its hash is kept."""
    account = auth.writer()
    bodies.read(bodies.Nothing)
    return private({"user_id": account.id, "token": here().accounts.rotate_token(account.id)}, 201)


@blueprint.delete("/api/me")
@documented("Delete the account", tag="accounts", status=204, errors=(401, 429, 503), bearer=True)
def delete_account() -> Response:
    """Devices, follows and settings are deleted with it, at once and for good."""
    here().accounts.delete(auth.writer().id)
    return private(None)


@blueprint.put("/api/me/devices/<platform>/<token>")
@documented("Register a device", tag="accounts", status=204, body=bodies.DeviceIn, errors=BODY_ERRORS, bearer=True)
def register_device(platform: str, token: str) -> Response:
    """Repeat this at each start of the app, because tokens change. A device of another account moves to this one. An
    account keeps its ten newest. `web` needs a `subscription`; its token is any name that the app chooses."""
    account, body = auth.writer(), bodies.read(bodies.DeviceIn)
    named = _device(platform, token)
    web, subscription = named.platform is Platform.WEB, body.subscription
    if web is not (subscription is not None):
        raise Refused("The body is not understood.", "invalid", (Fault("subscription", "web, and only web, has one"),))
    if body.topics and named.platform is not Platform.ANDROID:
        raise Refused("The body is not understood.", "invalid", (Fault("topics", "only android has topics"),))
    if body.payload is Payload.DATA and named.platform is not Platform.ANDROID:
        raise Refused("The body is not understood.", "invalid", (Fault("payload", "only android has data messages"),))
    if body.live_activity_token and named.platform is not Platform.IOS:
        fault = Fault("live_activity_token", "only ios has one")
        raise Refused("The body is not understood.", "invalid", (fault,))
    device = Device(
        platform=named.platform,
        token=named.token,
        kind=body.kind,
        environment=body.environment,
        locale=body.locale,
        topics=body.topics,
        payload=body.payload,
        live_activity_token=body.live_activity_token.lower() if body.live_activity_token else None,
        endpoint=subscription.endpoint if subscription else None,
        p256dh=subscription.keys.p256dh if subscription else None,
        auth=subscription.keys.auth if subscription else None,
    )
    here().accounts.add_device(account.id, device, now_ms=now_ms())
    return private(None)


@blueprint.delete("/api/me/devices/<platform>/<token>")
@documented("Forget a device", tag="accounts", status=204, errors=ERRORS, bearer=True)
def forget_device(platform: str, token: str) -> Response:
    account, device = auth.writer(), _device(platform, token)
    here().accounts.remove_device(account.id, device.platform, device.token)
    return private(None)


def _device(platform: str, token: str) -> Device:
    """The device of a path. APNs tokens are compared in lower case: apps send them in either."""
    if platform not in set(Platform):
        raise Refused("There is no such platform.", "invalid", (Fault("platform", "ios, android or web"),))
    kind = Platform(platform)
    token = token.lower() if kind is Platform.IOS else token
    if not TOKENS[kind].fullmatch(token):
        raise Refused("This cannot be a device token.", "invalid", (Fault("token", f"not a token of {kind}"),))
    return Device(kind, token)


def _me(profile: Profile) -> dict[str, object]:
    account = profile.account
    topics = topics_for(account, profile.follows)
    quiet = bodies.QuietHoursBody.of(account.quiet)
    return {
        "user_id": account.id,
        "time_zone": account.time_zone,
        "quiet_hours": quiet.model_dump() if quiet else None,
        "spoiler_free": account.spoiler_free,
        "locale": account.locale,
        "topics": variant_of(account) if topics is not None else None,
        "devices": [_device_body(device) for device in profile.devices],
        "follows": {
            subject.value: follows_body([follow for follow in profile.follows if follow.subject is subject], topics)
            for subject in Subject
        },
    }


def _device_body(device: Device) -> dict[str, object]:
    return {
        "platform": device.platform,
        "token": device.token,
        "environment": device.environment,
        "kind": device.kind,
        "locale": device.locale,
        "topics": device.topics,
        "payload": device.payload,
        "live_activity": device.live_activity_token is not None,
        "registered_at": render.rfc3339(device.registered_at),
    }
