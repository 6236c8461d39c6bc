"""A device, from its row."""

from __future__ import annotations

from db.domain import Device, Payload, Platform
from db.sql.models import DeviceRow
from db.sql.moments import ms


def device_of(row: DeviceRow) -> Device:
    return Device(
        platform=Platform(row.platform),
        token=row.token,
        kind=row.kind,
        environment=row.environment,
        locale=row.locale,
        topics=row.topics,
        live_activity_token=row.live_activity_token,
        endpoint=row.endpoint,
        p256dh=row.p256dh,
        auth=row.auth,
        registered_at=ms(row.registered_at),
        payload=Payload(row.payload),
    )
