"""months: scores and events in partitions by version, on PostgreSQL alone

No row is moved. The tables as they are become the first partition, of all that is before a month some weeks ahead; from
then on each month has its own, which the clock makes and drops (db.sql.months). That they hold nothing later is checked
beforehand, beside readers and writers, so that the change itself takes milliseconds.

`match_scores` is the whole from now on. Events are `match_event_versions`, one row for each version of an event, and
`match_events` is its first partition. There each event keeps one row, the newest, by a trigger: so the release before
reads and writes as it did until that month begins. What it writes later is taken, and it does not read it.

Revision ID: 0013
Revises: 0012
"""

from datetime import UTC, datetime, timedelta

from alembic import op
from sqlalchemy import text

revision = "0013"
down_revision = "0012"

# For so long at least the release before may run beside this one, or be rolled back to.
BESIDE = timedelta(days=31)

CHECKED = {"match_scores": "match_scores_before", "match_events": "match_events_before"}

REFERENCE = "FOREIGN KEY (match_id) REFERENCES matches (id) ON DELETE CASCADE"

# matches first: whoever writes history locks the tables in this order, too.
DIVIDE = f"""
LOCK TABLE matches IN ACCESS EXCLUSIVE MODE;
ALTER TABLE match_scores RENAME TO match_scores_past;
ALTER INDEX match_scores_pkey RENAME TO match_scores_past_pkey;
CREATE TABLE match_scores (LIKE match_scores_past INCLUDING DEFAULTS, PRIMARY KEY (match_id, version), {REFERENCE})
    PARTITION BY RANGE (version);
ALTER TABLE match_scores ATTACH PARTITION match_scores_past FOR VALUES FROM (MINVALUE) TO (UNTIL);
ALTER TABLE match_scores_past DROP CONSTRAINT match_scores_before;
ALTER TABLE match_events DROP CONSTRAINT match_events_pkey,
    ADD CONSTRAINT match_events_pkey PRIMARY KEY USING INDEX ix_match_events_version;
CREATE TABLE match_event_versions
    (LIKE match_events INCLUDING DEFAULTS, PRIMARY KEY (match_id, version, id), {REFERENCE})
    PARTITION BY RANGE (version);
ALTER TABLE match_event_versions ATTACH PARTITION match_events FOR VALUES FROM (MINVALUE) TO (UNTIL);
ALTER TABLE match_events DROP CONSTRAINT match_events_before;
CREATE INDEX ix_match_event_versions_goals ON ONLY match_event_versions (match_id)
    WHERE event_type IN ('goal', 'own_goal', 'penalty_goal') AND NOT voided;
ALTER INDEX ix_match_event_versions_goals ATTACH PARTITION ix_match_events_goals;
"""

# Two writers of one match wait for each other at its row in matches, which each writes first.
NEWEST = """
CREATE FUNCTION match_events_newest() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    earlier match_events;
BEGIN
    IF NEW.version >= TG_ARGV[0]::bigint AND pg_trigger_depth() = 1 THEN
        DELETE FROM match_event_versions
            WHERE match_id = NEW.match_id AND version = NEW.version AND id = NEW.id;
        INSERT INTO match_event_versions VALUES (NEW.*);
        RETURN NULL;
    END IF;
    SELECT * INTO earlier FROM match_events WHERE match_id = NEW.match_id AND id = NEW.id;
    IF NOT FOUND THEN
        RETURN NEW;
    END IF;
    IF earlier.version > NEW.version THEN
        RETURN NULL;
    END IF;
    DELETE FROM match_events WHERE match_id = NEW.match_id AND id = NEW.id;
    NEW.created_at := earlier.created_at;
    RETURN NEW;
END $$
"""

TRIGGER = """
CREATE TRIGGER match_events_newest BEFORE INSERT ON match_events
    FOR EACH ROW EXECUTE FUNCTION match_events_newest('UNTIL')
"""

UNITE = """
LOCK TABLE matches IN ACCESS EXCLUSIVE MODE;
DROP TRIGGER match_events_newest ON match_events;
DROP FUNCTION match_events_newest;
ALTER TABLE match_event_versions DETACH PARTITION match_events;
ALTER TABLE match_events DROP CONSTRAINT match_events_pkey;
INSERT INTO match_events AS stored
    SELECT DISTINCT ON (match_id, id) * FROM match_event_versions ORDER BY match_id, id, version DESC
    ON CONFLICT (match_id, id) DO UPDATE SET (event_type, minute, player, team, detail, voided, version, document) =
        (excluded.event_type, excluded.minute, excluded.player, excluded.team, excluded.detail, excluded.voided,
         excluded.version, excluded.document);
ALTER TABLE match_events ADD CONSTRAINT match_events_pkey PRIMARY KEY USING INDEX ix_match_events_event;
CREATE UNIQUE INDEX ix_match_events_version ON match_events (match_id, version, id);
DROP TABLE match_event_versions;
ALTER TABLE match_scores DETACH PARTITION match_scores_past;
INSERT INTO match_scores_past SELECT * FROM match_scores;
DROP TABLE match_scores;
ALTER TABLE match_scores_past RENAME TO match_scores;
ALTER INDEX match_scores_past_pkey RENAME TO match_scores_pkey;
"""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    until = first_month()
    with op.get_context().autocommit_block():
        for table, check in CHECKED.items():
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {check}")
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {check} CHECK (version < {until}) NOT VALID")
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {check}")
    each(DIVIDE.replace("UNTIL", str(until)))
    op.execute(NEWEST)
    op.execute(TRIGGER.replace("UNTIL", str(until)))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        each(UNITE)


def each(statements: str) -> None:
    for statement in filter(str.strip, statements.split(";")):
        op.execute(statement)


def first_month() -> int:
    """ms of a month's beginning, some weeks ahead and later than all that is stored: a server's clock may have been
    ahead."""
    newest = text("SELECT greatest((SELECT max(version) FROM match_scores), (SELECT max(version) FROM match_events))")
    stored_ms = op.get_bind().execute(newest).scalar() or 0
    after = max(datetime.now(UTC) + BESIDE, datetime.fromtimestamp(stored_ms / 1000, UTC))
    month = datetime(after.year + after.month // 12, after.month % 12 + 1, 1, tzinfo=UTC)
    return round(month.timestamp() * 1000)
