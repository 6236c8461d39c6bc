"""Migrations run against DATABASE_URL, `alembic upgrade head`; Heroku's release phase calls that."""

import time

from alembic import context
from psycopg.errors import LockNotAvailable
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from config import Settings
from db.sql.models import Base
from db.sql.session import engine

# A change of a table waits for whoever uses it, and everybody else then waits behind the change. So it gives up soon,
# lets them pass, and tries again.
LOCK_MS, AGAIN_S, ATTEMPTS = 1_000, 1.0, 60


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
            context.run_migrations()


bind = engine(Settings.load().sql_url, bounded=False)
for attempt in range(1, ATTEMPTS + 1):
    try:
        migrate(bind)
        break
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable) or attempt == ATTEMPTS:
            raise
        time.sleep(AGAIN_S)
bind.dispose()
