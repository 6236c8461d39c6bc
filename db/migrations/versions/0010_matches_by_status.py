"""an index for lists by status without dates

Made beside readers and writers: on PostgreSQL it waits for nobody's lock but its own, and a build that was interrupted
is begun anew.

Revision ID: 0010
Revises: 0007
"""

from alembic import op

revision = "0010"
down_revision = "0007"

NAME, COLUMNS = "ix_matches_status_listed", ["status", "listed_at", "id"]


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(NAME, "matches", if_exists=True, postgresql_concurrently=True)
        op.create_index(NAME, "matches", COLUMNS, postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(NAME, "matches", postgresql_concurrently=True)
