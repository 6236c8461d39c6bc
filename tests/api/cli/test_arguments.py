"""Arguments that nobody thought of: one sentence each, and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.conftest import Site


@pytest.mark.parametrize(
    "line",
    [
        "refused list --limit -1",
        "refused list --limit 99999999999999999999",
        "push status --limit 99999999999999999999",
        "matches suggest --days 999999999",
    ],
)
def test_a_number_out_of_range_is_a_wrong_use(site: Site, line: str) -> None:
    result = site.app.test_cli_runner().invoke(args=line.split())
    assert result.exit_code == 2, result.output
    assert "Error: " in result.output


def test_pairs_that_are_not_utf_8_are_told_so(site: Site, tmp_path: Path) -> None:
    (tmp_path / "pairs").write_bytes(b"\xff\xfe a")
    result = site.app.test_cli_runner().invoke(args=["matches", "link", "--file", str(tmp_path / "pairs")])
    assert (result.exit_code, result.output) == (1, "Error: The file is not UTF-8.\n")
