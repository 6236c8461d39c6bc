"""What is emulated beside the embedded run, and when."""

from __future__ import annotations

from pathlib import Path

from config import Settings
from dev.services import push_services


def test_beside_real_keys_no_push_service_is_emulated(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    for settings in (Settings(apns_key="a key"), Settings(fcm_credentials="{}"), Settings(push="null")):
        with push_services(settings, tmp_path, environment):
            assert (list(tmp_path.iterdir()), environment) == ([], {})
