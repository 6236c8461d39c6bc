"""followers: users, devices, what they follow, broadcast channels

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("quiet_since", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("spoiler_free", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_digest"),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index(
            "ix_users_quiet",
            ["id", "time_zone", "quiet_since", "quiet_until"],
            unique=False,
            postgresql_where=sa.text("quiet_since IS NOT NULL"),
            sqlite_where=sa.text("quiet_since IS NOT NULL"),
        )

    op.create_table(
        "devices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=8), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=True),
        sa.Column("p256dh", sa.String(length=128), nullable=True),
        sa.Column("auth", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=True),
        sa.Column("topics", sa.String(length=16), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.create_index("ix_devices_user", ["user_id", "id"], unique=False)
        batch_op.create_index("ix_devices_topics", ["topics"], unique=False)
        batch_op.create_index(
            "ix_devices_sandbox",
            ["id"],
            unique=False,
            postgresql_where=sa.text("environment = 'sandbox'"),
            sqlite_where=sa.text("environment = 'sandbox'"),
        )

    op.create_table(
        "follows",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("notification_prefs", sa.JSON(), nullable=False),
        sa.Column("kinds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "subject", "subject_id"),
    )
    with op.batch_alter_table("follows", schema=None) as batch_op:
        batch_op.create_index("ix_follows_subject", ["subject", "subject_id", "user_id", "kinds"], unique=False)

    op.create_table(
        "push_channels",
        sa.Column("match_id", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("channel_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("match_id", "environment"),
    )
    with op.batch_alter_table("push_channels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_push_channels_created_at"), ["created_at"], unique=False)

    # Nobody could have an account before this, so a row here belongs to no one.
    op.execute("DELETE FROM user_subscriptions")
    with op.batch_alter_table("user_subscriptions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kinds", sa.Integer(), nullable=False))
        batch_op.create_foreign_key("fk_user_subscriptions_user", "users", ["user_id"], ["id"], ondelete="CASCADE")
        batch_op.drop_index("ix_user_subscriptions_match_id")
        batch_op.create_index("ix_user_subscriptions_match", ["match_id", "user_id", "kinds"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("user_subscriptions", schema=None) as batch_op:
        batch_op.drop_index("ix_user_subscriptions_match")
        batch_op.create_index("ix_user_subscriptions_match_id", ["match_id"], unique=False)
        batch_op.drop_constraint("fk_user_subscriptions_user", type_="foreignkey")
        batch_op.drop_column("kinds")

    op.drop_table("push_channels")
    op.drop_table("follows")
    op.drop_table("devices")
    op.drop_table("users")
