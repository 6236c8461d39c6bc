"""keys of events by version: what history in months needs before it can be divided

On PostgreSQL alone. Made beside readers and writers; a build that was interrupted is begun anew. The release before
writes and reads as it did.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"

TABLE = "match_events"
INDEXES = {"ix_match_events_version": ["match_id", "version", "id"], "ix_match_events_event": ["match_id", "id"]}


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.drop_index(name, TABLE, if_exists=True, postgresql_concurrently=True)
            op.create_index(name, TABLE, columns, unique=True, postgresql_concurrently=True)


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.drop_index(name, TABLE, if_exists=True, postgresql_concurrently=True)
