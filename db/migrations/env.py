"""Migrations run against DATABASE_URL, `alembic upgrade head`; Heroku's release phase calls that.

A release that is rolled back to finds the tables of a newer one, which it can use, and leaves them as they are.
"""

import sys
import time

from alembic import context
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from psycopg.errors import LockNotAvailable
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from config import Settings
from db.sql.models import Base
from db.sql.session import engine

# A change of a table waits for whoever uses it, and everybody else then waits behind the change. So it gives up soon,
# lets them pass, and tries again.
LOCK_MS, AGAIN_S, ATTEMPTS = 1_000, 1.0, 60
# A number of ours among PostgreSQL's advisory locks. Two processes that make the same tables stop each other half-way.
ALONE = 5_016_002


def migrate(bind: Engine) -> None:
    with bind.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET lock_timeout = {LOCK_MS}")
            connection.commit()
        # Batch mode: SQLite cannot alter a table in place (alembic.sqlalchemy.org, "Batch migrations"). What is done is
        # not done again after a lock that was not to be had.
        context.configure(
            connection, target_metadata=Base.metadata, render_as_batch=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            if newer := of_a_newer_release():
                sys.stderr.write(f"The database is at revision {newer}, of a newer release. It is left as it is.\n")
            else:
                context.run_migrations()


def is_alone() -> bool:
    """Whether no other process migrates. The lock is the connection's, and ends with it. It is not waited for: an index
    that is made beside writers waits for every transaction, that of a waiting process, too."""
    with bind.connect() as connection:
        if connection.dialect.name != "postgresql":
            return True
        return bool(connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({ALONE})").scalar())


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
try:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            if is_alone():
                migrate(bind)
                break
            if attempt == ATTEMPTS:
                sys.exit("Another process changes this database. Try again when it is done.")
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable) or attempt == ATTEMPTS:
                raise
        time.sleep(AGAIN_S)
finally:
    bind.dispose()
