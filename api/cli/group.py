"""Groups of commands of the operator."""

from __future__ import annotations

from typing import Any

import click
from flask.cli import AppGroup

from db.domain.errors import LiveScoreError


class OperatorGroup(AppGroup):
    """A refusal or an outage is one sentence and an exit code: it is for people in a hurry."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LiveScoreError as error:
            raise click.ClickException(error.message) from None
