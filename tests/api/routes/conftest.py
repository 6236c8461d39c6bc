"""What several tests of routes share: a site with matches, and users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from api import create_app
from api.delivery import listener
from config import Settings
from tests.api.conftest import Site, event, fixture
from tests.support.users import User


@pytest.fixture
def site_with_matches(either: Site) -> Site:
    """Three matches: one in play, one over, one to come."""
    either.tell(
        event("live", event_id="g1", player={"id": "p1", "name": "Mbappé"}, assist="A", detail="header", team="home"),
        event("live", event_id="g2", home_score=2, minute="45+2", timestamp="2026-05-01T18:46:00Z", team="home"),
        event("live", event_type="var_review", voids="g2", timestamp="2026-05-01T18:48:00Z", minute="45+4"),
        event("over", event_type="full_time", home_score=3, away_score=3, minute=120, shootout={"home": 4, "away": 2}),
        matches=(
            fixture("live"),
            fixture("over", competition="Final", start_time="2026-04-30T18:00:00Z"),
            fixture("soon", start_time="2026-05-03T18:00:00Z", status="scheduled"),
        ),
    )
    return either


@pytest.fixture
def listening(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """With the match `m`, and a listener that ends soon when the test does."""
    monkeypatch.setattr(listener, "LOOK_S", 0.05)
    monkeypatch.setattr(listener, "RECONNECT_S", (0.0, 0.05))
    site.tell(event("m", home_score=1), matches=(fixture("m"),))
    yield site
    site.services.listener.stopping = True
    if site.services.listener.begun:
        site.services.listener.join(60)
    site.cut_off()


@pytest.fixture
def app(redis_url: str, sqlite_url: str) -> Iterator[Flask]:
    app = create_app(Settings(redis_url=redis_url, database_url=sqlite_url))
    yield app
    app.extensions["services"].history.engine.dispose()


@pytest.fixture
def alice(app: Flask) -> User:
    return User(app.test_client())


@pytest.fixture
def bob(app: Flask) -> User:
    return User(app.test_client())
