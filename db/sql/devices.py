"""A device, from its row."""

from __future__ import annotations

from typing import Any

from db.domain import Device, Payload, Platform
from db.sql.models import DeviceRow
from db.sql.moments import ms

# A lookup costs a third of calling the enumeration.
_PLATFORMS = {platform.value: platform for platform in Platform}
_PAYLOADS = {payload.value: payload for payload in Payload}
# A newer release beside this one may store others; those devices are that release's to read.
IS_READABLE = DeviceRow.platform.in_(_PLATFORMS) & DeviceRow.payload.in_(_PAYLOADS)


def device_of(row: DeviceRow) -> Device:
    return device_from(row, row.locale)


def device_from(row: Any, locale: str | None) -> Device:
    """row: anything that has the columns of a device."""
    return Device(
        platform=_PLATFORMS[row.platform],
        token=row.token,
        kind=row.kind,
        environment=row.environment,
        locale=locale,
        topics=row.topics,
        live_activity_token=row.live_activity_token,
        endpoint=row.endpoint,
        p256dh=row.p256dh,
        auth=row.auth,
        registered_at=ms(row.registered_at),
        payload=_PAYLOADS[row.payload],
    )
