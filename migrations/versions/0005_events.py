"""Events: facts, append-only, and the outbox that tells them to handlers."""

from alembic import op
from sqlalchemy import text

from payments.kernel.migrating import create_schema, drop_schema, grant, limit_time

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FACTS = """
CREATE TABLE events.facts (
    book_id varchar(6) NOT NULL,
    fact_id text NOT NULL,
    name text NOT NULL,
    version smallint NOT NULL,
    subject text NOT NULL,
    fields jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT facts_pkey PRIMARY KEY (book_id, fact_id)
)
"""

OUTBOX = """
CREATE TABLE events.outbox (
    position bigint GENERATED ALWAYS AS IDENTITY,
    book_id varchar(6) NOT NULL,
    fact_id text NOT NULL,
    subject text NOT NULL,
    told text[] NOT NULL DEFAULT '{}',
    tries smallint NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    parked_at timestamptz,
    reason text NOT NULL DEFAULT '',
    CONSTRAINT outbox_pkey PRIMARY KEY (position)
)
"""

INDEXES = (
    "CREATE INDEX facts_book_id_subject_idx ON events.facts (book_id, subject)",
    "CREATE INDEX facts_xid_idx ON events.facts (xid)",
    "CREATE INDEX outbox_waiting_idx ON events.outbox (position) WHERE parked_at IS NULL",
    "CREATE INDEX outbox_subject_idx ON events.outbox (book_id, subject, position)",
    "CREATE UNIQUE INDEX outbox_fact_idx ON events.outbox (book_id, fact_id)",
)


def upgrade() -> None:
    limit_time()
    create_schema("events")
    for statement in (FACTS, OUTBOX, *INDEXES):
        op.execute(text(statement))
    grant("events.facts", "SELECT, INSERT")
    grant("events.outbox", "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    limit_time()
    op.drop_table("outbox", schema="events")
    op.drop_table("facts", schema="events")
    drop_schema("events")
