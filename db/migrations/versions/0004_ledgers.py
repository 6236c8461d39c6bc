"""ledgers: what was told of a match, from which live state goes on after a loss of Redis

A new column without a default: neither database rewrites the table, and the release before writes rows without it.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("matches", sa.Column("ledgers", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("matches", schema=None) as batch_op:
        batch_op.drop_column("ledgers")
