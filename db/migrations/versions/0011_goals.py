"""an index of the goals that stand, for tables of scorers

Made beside readers and writers: on PostgreSQL it waits for nobody's lock but its own, and a build that was interrupted
is begun anew.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

NAME = "ix_match_events_goals"
STANDING = "event_type IN ('goal', 'own_goal', 'penalty_goal') AND NOT voided"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(NAME, "match_events", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            NAME,
            "match_events",
            ["match_id"],
            postgresql_where=sa.text(STANDING),
            sqlite_where=sa.text(STANDING),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(NAME, "match_events", postgresql_concurrently=True)
