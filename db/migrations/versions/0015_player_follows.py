"""player_follows: who follows a player

A table of its own: the release before reads the rows of `follows` as teams and competitions.

Revision ID: 0015
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "player_follows",
        sa.Column("user_id", sa.String(64), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("player_id", sa.String(64), primary_key=True),
        sa.Column("notification_prefs", sa.JSON(), nullable=False),
        sa.Column("kinds", sa.Integer(), nullable=False),
    )
    op.create_index("ix_player_follows_player", "player_follows", ["player_id", "user_id", "kinds"])


def downgrade() -> None:
    op.drop_table("player_follows")
