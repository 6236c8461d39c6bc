"""Migrations run against DATABASE_URL, `alembic upgrade head`; Heroku's release phase calls that."""

from alembic import context

from config import Settings
from db.sql.models import Base
from db.sql.session import engine

bind = engine(Settings.load().sql_url, bounded=False)
with bind.connect() as connection:
    # Batch mode: SQLite cannot alter a table in place (alembic.sqlalchemy.org, "Batch migrations").
    context.configure(connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
bind.dispose()
