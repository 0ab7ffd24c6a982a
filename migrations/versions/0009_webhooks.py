"""Callbacks to merchants: events, their deliveries, every attempt, and how endpoints answer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from payments.kernel.migrating import create_schema, drop_schema, grant, limit_time

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "webhooks"


def upgrade() -> None:
    limit_time()
    create_schema(SCHEMA)
    _create_events()
    _create_deliveries()
    _create_attempts()
    op.create_table(
        "health",
        sa.Column("endpoint_id", sa.Text, nullable=False),
        sa.Column("streak", sa.Integer, nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True)),
        sa.Column("failing_since", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("endpoint_id", name="health_pkey"),
        schema=SCHEMA,
    )
    grant("webhooks.events", "SELECT, INSERT")
    grant("webhooks.deliveries", "SELECT, INSERT, UPDATE")
    grant("webhooks.attempts", "SELECT, INSERT, UPDATE")
    grant("webhooks.health", "SELECT, INSERT, UPDATE, DELETE")


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("book_id", sa.Text, nullable=False),
        sa.Column("fact_digest", sa.LargeBinary, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("version", sa.SmallInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="events_pkey"),
        sa.UniqueConstraint("book_id", "fact_digest", name="events_book_id_fact_digest_key"),
        sa.UniqueConstraint(
            "book_id", "subject", "sequence", name="events_book_id_subject_sequence_key"
        ),
        schema=SCHEMA,
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", sa.Text, nullable=False),
        sa.Column("book_id", sa.Text, nullable=False),
        sa.Column("endpoint_id", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("failures", sa.SmallInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("delivery_id", name="deliveries_pkey"),
        sa.UniqueConstraint("endpoint_id", "event_id", name="deliveries_endpoint_id_event_id_key"),
        sa.ForeignKeyConstraint(
            ["event_id"], ["webhooks.events.event_id"], name="deliveries_event_id_fkey"
        ),
        sa.CheckConstraint(
            "state IN ('due', 'delivered', 'dead')", name=op.f("deliveries_state_check")
        ),
        sa.CheckConstraint(
            "(state = 'due') = (finished_at IS NULL)", name=op.f("deliveries_finished_check")
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "deliveries_waiting_idx",
        "deliveries",
        ["endpoint_id", "due_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "deliveries_listing_idx", "deliveries", ["book_id", "delivery_id"], schema=SCHEMA
    )


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("delivery_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("status", sa.SmallInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("excerpt", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="attempts_pkey"),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhooks.deliveries.delivery_id"],
            name="attempts_delivery_id_fkey",
        ),
        schema=SCHEMA,
    )


def downgrade() -> None:
    limit_time()
    for table in ("health", "attempts", "deliveries", "events"):
        op.drop_table(table, schema=SCHEMA)
    drop_schema(SCHEMA)
