"""Which scaler the settings choose."""

from __future__ import annotations

from config import Settings
from db.domain.errors import Refused
from workers.plan.scalers.base import Scaler
from workers.plan.scalers.command import CommandScaler
from workers.plan.scalers.heroku import HerokuScaler
from workers.plan.scalers.null import NullScaler


def chosen(settings: Settings) -> Scaler:
    """Raises Refused where two are."""
    if settings.scale_heroku_app and settings.scale_command:
        raise Refused("SCALE_HEROKU_APP and SCALE_COMMAND cannot both scale: unset one.")
    if settings.scale_heroku_app:
        return HerokuScaler(settings.scale_heroku_url, settings.scale_heroku_app, settings.scale_heroku_token)
    return CommandScaler(settings.scale_command) if settings.scale_command else NullScaler()
