"""live activities: the push-to-start token of a device

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("live_activity_token", sa.String(length=400), nullable=True))
        batch_op.create_index(
            "ix_devices_live_activity",
            ["live_activity_token"],
            unique=True,
            postgresql_where=sa.text("live_activity_token IS NOT NULL"),
            sqlite_where=sa.text("live_activity_token IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_index("ix_devices_live_activity")
        batch_op.drop_column("live_activity_token")
