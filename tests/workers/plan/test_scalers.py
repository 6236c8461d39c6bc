"""How each scaler takes numbers, limits and failures of its platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from config import Settings
from db.domain.errors import Refused, Unavailable
from dev.emulators.heroku import Formation, PlatformServer
from workers.plan.scalers import registry
from workers.plan.scalers.command import CommandScaler
from workers.plan.scalers.heroku import HerokuScaler
from workers.plan.scalers.null import NullScaler


@pytest.fixture
def app() -> Formation:
    return Formation("scores", "a-token", {"web": 1, "worker": 1})


@pytest.fixture
def platform(app: Formation) -> Iterator[PlatformServer]:
    server = PlatformServer(app)
    yield server
    server.close()


@pytest.fixture
def scaler(platform: PlatformServer) -> HerokuScaler:
    return HerokuScaler(platform.url, "scores", "a-token")


class TestHeroku:
    def test_only_what_differs_is_asked_for_and_a_repeat_changes_nothing(
        self, app: Formation, scaler: HerokuScaler
    ) -> None:
        for _ in range(2):
            assert scaler.apply({"web": 4, "worker": 1}) == {"web": 4, "worker": 1}
        assert [call for call in app.calls if call[0] == "PATCH"] == [
            ("PATCH", {"updates": [{"type": "web", "quantity": 4}]})
        ]

    def test_a_type_that_the_app_has_not_is_left_out(self, app: Formation, scaler: HerokuScaler) -> None:
        scaler.apply({"web": 2, "feed": 3})
        assert app.processes == {"web": 2, "worker": 1}

    @pytest.mark.parametrize(("size", "limit"), [("performance-m", 10), ("basic", 1)])
    def test_up_to_a_limit_is_better_than_nothing(
        self, app: Formation, scaler: HerokuScaler, size: str, limit: int
    ) -> None:
        app.sizes = {"web": size}
        assert scaler.apply({"web": 14, "worker": 1})["web"] == limit
        assert app.processes["web"] == limit

    def test_a_limit_of_the_whole_app_is_for_a_person(self, app: Formation, scaler: HerokuScaler) -> None:
        with pytest.raises(Refused, match="more than 100 dynos"):
            scaler.apply({"web": 60, "worker": 60})
        assert app.processes == {"web": 1, "worker": 1}
        app.generation = "fir"
        scaler.apply({"web": 60, "worker": 60})
        assert app.processes == {"web": 60, "worker": 60}

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_what_passes_is_tried_again(self, app: Formation, scaler: HerokuScaler, status: int) -> None:
        app.broken = [status]
        with pytest.raises(Unavailable, match=str(status)):
            scaler.apply({"web": 4})
        scaler.apply({"web": 4})
        assert app.processes["web"] == 4

    def test_its_budget_of_calls_is_the_accounts(self, app: Formation, scaler: HerokuScaler) -> None:
        app.calls_left = 0
        with pytest.raises(Unavailable, match="429"):
            scaler.apply({"web": 4})

    def test_a_wrong_token_or_app_is_for_a_person_and_the_token_is_not_shown(self, platform: PlatformServer) -> None:
        for name, token in (("scores", "another-token"), ("other", "a-token")):
            with pytest.raises(Refused) as raised:
                HerokuScaler(platform.url, name, token).apply({"web": 4})
            assert "token" not in raised.value.message

    def test_nobody_there(self) -> None:
        with pytest.raises(Unavailable, match="out of reach"):
            HerokuScaler("http://127.0.0.1:1", "scores", "t").apply({"web": 4})


def test_a_command_is_given_the_numbers(tmp_path: Path) -> None:
    (script := tmp_path / "scale").write_text('#!/bin/sh\necho "$@" > "$0.out"\n')
    script.chmod(0o755)
    CommandScaler(f"{script} now").apply({"web": 4, "worker": 2})
    assert (tmp_path / "scale.out").read_text() == "now web=4 worker=2\n"
    script.write_text("#!/bin/sh\necho no more >&2\nexit 3\n")
    with pytest.raises(Unavailable, match="ended with 3: no more"):
        CommandScaler(str(script)).apply({"web": 4})
    with pytest.raises(Refused, match="cannot be run"):
        CommandScaler(str(tmp_path / "none")).apply({"web": 4})


def test_the_settings_choose_one() -> None:
    assert isinstance(registry.chosen(Settings()), NullScaler)
    assert isinstance(registry.chosen(Settings(scale_heroku_app="a")), HerokuScaler)
    assert isinstance(registry.chosen(Settings(scale_command="./scale")), CommandScaler)
    with pytest.raises(Refused, match="cannot both scale"):
        registry.chosen(Settings(scale_heroku_app="a", scale_command="b"))
