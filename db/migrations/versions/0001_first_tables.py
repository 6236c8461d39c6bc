"""first tables

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "competitions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("folded", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_competitions_folded"), ["folded"], unique=False)

    op.create_table(
        "matches",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("home_team", sa.String(length=200), nullable=True),
        sa.Column("away_team", sa.String(length=200), nullable=True),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("competition", sa.String(length=200), nullable=True),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("venue", sa.String(length=200), nullable=True),
        sa.Column("home_team_id", sa.String(length=64), nullable=True),
        sa.Column("away_team_id", sa.String(length=64), nullable=True),
        sa.Column("competition_id", sa.String(length=64), nullable=True),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("matches", schema=None) as batch_op:
        batch_op.create_index("ix_matches_away_listed", ["away_team_id", "listed_at"], unique=False)
        batch_op.create_index("ix_matches_competition_listed", ["competition_id", "listed_at"], unique=False)
        batch_op.create_index("ix_matches_home_listed", ["home_team_id", "listed_at"], unique=False)
        batch_op.create_index("ix_matches_listed", ["listed_at", "id"], unique=False)
        batch_op.create_index("ix_matches_phase_listed", ["phase", "listed_at"], unique=False)

    op.create_table(
        "refused_payloads",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("refused_payloads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refused_payloads_received_at"), ["received_at"], unique=False)

    op.create_table(
        "teams",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("folded", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("teams", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_teams_folded"), ["folded"], unique=False)

    op.create_table(
        "user_subscriptions",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("match_id", sa.String(length=64), nullable=False),
        sa.Column("notification_prefs", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "match_id"),
    )
    with op.batch_alter_table("user_subscriptions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_subscriptions_match_id"), ["match_id"], unique=False)

    op.create_table(
        "match_events",
        sa.Column("match_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("event_type", sa.String(length=64), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=True),
        sa.Column("player", sa.String(length=200), nullable=True),
        sa.Column("team", sa.String(length=8), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("match_id", "id"),
    )
    op.create_table(
        "match_scores",
        sa.Column("match_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("home_score", sa.Integer(), nullable=True),
        sa.Column("away_score", sa.Integer(), nullable=True),
        sa.Column("minute", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_minute", sa.Integer(), nullable=True),
        sa.Column("home_kicks", sa.Integer(), nullable=True),
        sa.Column("away_kicks", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("match_id", "version"),
    )


def downgrade() -> None:
    op.drop_table("match_scores")
    op.drop_table("match_events")
    with op.batch_alter_table("user_subscriptions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_subscriptions_match_id"))

    op.drop_table("user_subscriptions")
    with op.batch_alter_table("teams", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_teams_folded"))

    op.drop_table("teams")
    with op.batch_alter_table("refused_payloads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refused_payloads_received_at"))

    op.drop_table("refused_payloads")
    with op.batch_alter_table("matches", schema=None) as batch_op:
        batch_op.drop_index("ix_matches_phase_listed")
        batch_op.drop_index("ix_matches_listed")
        batch_op.drop_index("ix_matches_home_listed")
        batch_op.drop_index("ix_matches_competition_listed")
        batch_op.drop_index("ix_matches_away_listed")

    op.drop_table("matches")
    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_competitions_folded"))

    op.drop_table("competitions")
