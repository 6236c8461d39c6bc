"""payload: whether the system shows a device's notifications or its app builds them

A new column with a constant default: PostgreSQL does not rewrite the table, and the release before writes rows without
it.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("devices", sa.Column("payload", sa.String(16), nullable=False, server_default="notification"))


def downgrade() -> None:
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_column("payload")
