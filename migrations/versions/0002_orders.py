"""Orders, the attempts to pay them, and cases for reports that do not fit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from payments.kernel.migrating import create_schema, drop_schema, grant, limit_time

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    limit_time()
    create_schema("orders")
    create_orders()
    create_attempts()
    create_cases()
    for table in ("orders", "attempts", "cases"):
        grant(f"orders.{table}", "SELECT, INSERT, UPDATE")


def create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("book_id", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("service", sa.String, nullable=False),
        sa.Column("service_reference", sa.String, nullable=False),
        sa.Column("citizen_id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("metadata", JSONB, nullable=False),
        sa.Column("placed_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("paid_at", MOMENT),
        sa.Column("paid_attempt_id", sa.String),
        sa.Column("closing_since", MOMENT),
        sa.Column("close_reason", sa.String),
        sa.Column("closed_at", MOMENT),
        sa.Column("next_close_at", MOMENT),
        sa.Column("refunding_minor", sa.BigInteger, nullable=False),
        sa.Column("refunded_minor", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("book_id", "id", name="orders_pkey"),
        sa.UniqueConstraint(
            "book_id",
            "service",
            "service_reference",
            name="orders_book_id_service_service_reference_key",
        ),
        sa.CheckConstraint("state IN ('open', 'paid', 'closed')", name="orders_state_check"),
        sa.CheckConstraint(
            "close_reason IN ('expired', 'cancelled')", name="orders_close_reason_check"
        ),
        sa.CheckConstraint("amount_minor > 0", name="orders_amount_check"),
        sa.CheckConstraint(
            "refunding_minor >= 0 AND refunded_minor >= 0 AND refunding_minor + refunded_minor"
            " <= CASE WHEN state = 'paid' THEN amount_minor ELSE 0 END",
            name="orders_refunds_check",
        ),
        sa.CheckConstraint(
            "(state = 'paid') = (paid_attempt_id IS NOT NULL)", name="orders_paid_check"
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL)", name="orders_closed_check"
        ),
        schema="orders",
    )
    due("orders", "orders_close_due_idx", "next_close_at")
    op.create_index("orders_citizen_idx", "orders", ["citizen_id", "placed_at"], schema="orders")


def create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("book_id", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("order_id", sa.String, nullable=False),
        sa.Column("number", sa.String, nullable=False),
        sa.Column("request_key", sa.String, nullable=False),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("scene", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("client", JSONB, nullable=False),
        sa.Column("provider_number", sa.String),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("surplus", sa.String),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("succeeded_at", MOMENT),
        sa.Column("queries", sa.Integer, nullable=False),
        sa.Column("last_query_at", MOMENT),
        sa.Column("next_query_at", MOMENT),
        sa.PrimaryKeyConstraint("book_id", "id", name="attempts_pkey"),
        sa.ForeignKeyConstraint(
            ["book_id", "order_id"],
            ["orders.orders.book_id", "orders.orders.id"],
            name="attempts_book_id_order_id_fkey",
        ),
        sa.UniqueConstraint("book_id", "number", name="attempts_book_id_number_key"),
        sa.UniqueConstraint(
            "book_id", "order_id", "request_key", name="attempts_book_id_order_id_request_key_key"
        ),
        sa.CheckConstraint(
            "state IN ('started', 'unknown', 'pending', 'failed', 'cancelled', 'succeeded')",
            name="attempts_state_check",
        ),
        sa.CheckConstraint("surplus IN ('second', 'late')", name="attempts_surplus_check"),
        sa.CheckConstraint("amount_minor > 0", name="attempts_amount_check"),
        sa.CheckConstraint(
            "(state = 'succeeded') = (succeeded_at IS NOT NULL)", name="attempts_succeeded_check"
        ),
        schema="orders",
    )
    due("attempts", "attempts_query_due_idx", "next_query_at")


def create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("book_id", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("evidence", JSONB, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("sightings", sa.Integer, nullable=False),
        sa.Column("resolved_at", MOMENT),
        sa.Column("resolved_by", sa.String),
        sa.Column("resolution", sa.String),
        sa.PrimaryKeyConstraint("book_id", "id", name="cases_pkey"),
        sa.UniqueConstraint(
            "book_id",
            "kind",
            "subject",
            "fingerprint",
            name="cases_book_id_kind_subject_fingerprint_key",
        ),
        sa.CheckConstraint(
            "kind IN ('number', 'account', 'amount', 'currency', 'app', 'seller',"
            " 'unknown-number', 'unknown-refund', 'refund-failed', 'refund-exceeds')",
            name="cases_kind_check",
        ),
        sa.CheckConstraint("sightings > 0", name="cases_sightings_check"),
        schema="orders",
    )
    op.create_index(
        "cases_open_idx",
        "cases",
        ["book_id", "opened_at"],
        schema="orders",
        postgresql_where=sa.text("resolved_at IS NULL"),
    )


def due(table: str, name: str, column: str) -> None:
    op.create_index(
        name,
        table,
        ["book_id", column],
        schema="orders",
        postgresql_where=sa.text(f"{column} IS NOT NULL"),
    )


def downgrade() -> None:
    limit_time()
    for table in ("cases", "attempts", "orders"):
        op.drop_table(table, schema="orders")
    drop_schema("orders")
