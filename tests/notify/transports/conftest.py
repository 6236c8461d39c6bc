from __future__ import annotations

from collections.abc import Iterator

import pytest

from notify.transports.apns import Apns
from notify.transports.fcm import Fcm
from tests.support.emulators import Emulated


@pytest.fixture
def apns(emulators: Emulated) -> Iterator[Apns]:
    transport = emulators.apns()
    yield transport
    transport.close()


@pytest.fixture
def fcm(emulators: Emulated) -> Iterator[Fcm]:
    transport = emulators.fcm()
    yield transport
    transport.close()
