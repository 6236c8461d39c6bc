"""Migrations run against DATABASE_URL, `alembic upgrade head`; Heroku's release phase calls that.

A release that is rolled back to finds the tables of a newer one, which it can use, and leaves them as they are.
"""

import sys

from alembic import context
from alembic.script.revision import ResolutionError
from alembic.util import CommandError

from config import Settings
from db.sql.models import Base
from db.sql.session import engine


def of_a_newer_release() -> str | None:
    """The database's revision, where this release does not know it."""
    revision = context.get_context().get_current_revision()
    if revision is None:
        return None
    try:
        context.script.get_revision(revision)
    except (CommandError, ResolutionError):
        return revision
    return None


bind = engine(Settings.load().sql_url, bounded=False)
with bind.connect() as connection:
    # Batch mode: SQLite cannot alter a table in place (alembic.sqlalchemy.org, "Batch migrations").
    context.configure(connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        if newer := of_a_newer_release():
            sys.stderr.write(f"The database is at revision {newer}, of a newer release. It is left as it is.\n")
        else:
            context.run_migrations()
bind.dispose()
