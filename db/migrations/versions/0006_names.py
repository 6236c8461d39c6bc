"""names: other names of matches and teams

A new table: the release before runs without it, and shows a match under each name by itself.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "names",
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", "name"),
    )
    with op.batch_alter_table("names", schema=None) as batch_op:
        batch_op.create_index("ix_names_id", ["subject", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("names", schema=None) as batch_op:
        batch_op.drop_index("ix_names_id")

    op.drop_table("names")
