"""What a name that is no match's own id means."""

from __future__ import annotations

from api.services import Services
from db.domain import Subject, spelled
from db.domain.errors import Unavailable


def meant_match(services: Services, name: str) -> str | None:
    """The match that is meant by another name; None where it is none, or nobody can know at present."""
    try:
        return services.live.names.of_match(name)
    except Unavailable:
        pass
    try:
        plain = spelled(name)
        match_id = services.history.names.of(Subject.MATCH, plain) or plain
    except Unavailable:
        return None
    return match_id if match_id != name else None


def meant_subject(services: Services, subject: Subject, name: str) -> str:
    """What to follow where somebody follows by this name. Raises Unavailable."""
    if subject is Subject.MATCH:
        return services.live.names.of_match(name) or name
    return (services.live.names.of_team(name) if subject is Subject.TEAM else None) or name
