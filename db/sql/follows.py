"""What somebody follows, from its rows: matches, teams and competitions, and players have a table each."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.domain import Follow, Kind, Subject, kinds_of
from db.sql.models import FollowRow, PlayerFollowRow, UserSubscriptionRow

Row = UserSubscriptionRow | FollowRow | PlayerFollowRow


def of_user(session: Session, user_id: str) -> list[Follow]:
    own = select(UserSubscriptionRow).where(UserSubscriptionRow.user_id == user_id)
    matches = session.scalars(own.order_by(UserSubscriptionRow.match_id))
    others = select(FollowRow).where(FollowRow.user_id == user_id).order_by(FollowRow.subject, FollowRow.subject_id)
    players = select(PlayerFollowRow).where(PlayerFollowRow.user_id == user_id).order_by(PlayerFollowRow.player_id)
    return [
        *(Follow(Subject.MATCH, row.match_id, row.kinds) for row in matches),
        *(Follow(Subject(row.subject), row.subject_id, row.kinds) for row in session.scalars(others)),
        *(Follow(Subject.PLAYER, row.player_id, row.kinds) for row in session.scalars(players)),
    ]


def find(session: Session, user_id: str, follow: Follow) -> Row | None:
    match follow.subject:
        case Subject.MATCH:
            return session.get(UserSubscriptionRow, (user_id, follow.id))
        case Subject.PLAYER:
            return session.get(PlayerFollowRow, (user_id, follow.id))
        case Subject.TEAM | Subject.COMPETITION:
            return session.get(FollowRow, (user_id, follow.subject.value, follow.id))


def row_of(user_id: str, follow: Follow) -> Row:
    """A new one, without its kinds."""
    match follow.subject:
        case Subject.MATCH:
            return UserSubscriptionRow(user_id=user_id, match_id=follow.id)
        case Subject.PLAYER:
            return PlayerFollowRow(user_id=user_id, player_id=follow.id)
        case Subject.TEAM | Subject.COMPETITION:
            return FollowRow(user_id=user_id, subject=follow.subject.value, subject_id=follow.id)


def count(session: Session, user_id: str) -> int:
    counts = (
        select(func.count()).select_from(table).where(table.user_id == user_id)
        for table in (UserSubscriptionRow, FollowRow, PlayerFollowRow)
    )
    return sum(session.scalar(one) or 0 for one in counts)


def prefs_of(kinds: int) -> dict[str, bool]:
    """A mask as `notification_prefs`."""
    wanted = kinds_of(kinds)
    return {kind.value: kind in wanted for kind in Kind}
