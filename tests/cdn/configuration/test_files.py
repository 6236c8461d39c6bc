"""The files in deploy/cdn/ are what the table of routes says today."""

from __future__ import annotations

import pytest

from cdn.configuration import CONFIGURATIONS
from cdn.routes import ROUTES
from tests.support.paths import ROOT


@pytest.mark.parametrize("vendor", CONFIGURATIONS)
def test_a_file_is_up_to_date(vendor: str) -> None:
    """Else: flask --app wsgi edge config VENDOR > deploy/cdn/FILE."""
    configuration = CONFIGURATIONS[vendor]
    assert (ROOT / "deploy" / "cdn" / configuration.file).read_text() == configuration.render(configuration.origin)


@pytest.mark.parametrize("vendor", CONFIGURATIONS)
def test_a_file_knows_every_route(vendor: str) -> None:
    text = CONFIGURATIONS[vendor].render("origin.example:80")
    assert [route.path for route in ROUTES if route.pattern not in text] == []
    assert [name for route in ROUTES for name in route.parameters if name not in text] == []
    assert "origin.example:80" in text
