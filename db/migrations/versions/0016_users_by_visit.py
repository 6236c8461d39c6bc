"""an index of users by their last visit, for the clock that deletes those no app has used

Made beside readers and writers: on PostgreSQL it waits for nobody's lock but its own, and a build that was interrupted
is begun anew.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"

NAME = "ix_users_active"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(NAME, "users", if_exists=True, postgresql_concurrently=True)
        op.create_index(NAME, "users", ["active_at"], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(NAME, "users", postgresql_concurrently=True)
