"""Refunds, one row each, beside the order whose money they return."""

import sqlalchemy as sa
from alembic import op

from payments.kernel.migrating import create_schema, drop_schema, grant, limit_time

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    limit_time()
    create_schema("refunds")
    create_refunds()
    op.create_index(
        "refunds_surplus_once_idx",
        "refunds",
        ["book_id", "attempt_id"],
        unique=True,
        schema="refunds",
        postgresql_where=sa.text("origin = 'suspense' AND state <> 'failed'"),
    )
    op.create_index(
        "refunds_due_idx",
        "refunds",
        ["book_id", "next_try_at"],
        schema="refunds",
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    grant("refunds.refunds", "SELECT, INSERT, UPDATE")


def create_refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("book_id", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("order_id", sa.String, nullable=False),
        sa.Column("attempt_id", sa.String, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("reference", sa.String, nullable=False),
        sa.Column("number", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("answer", sa.String, nullable=False),
        sa.Column("provider_number", sa.String),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("requested_by", sa.String),
        sa.Column("approved_at", MOMENT),
        sa.Column("approved_by", sa.String),
        sa.Column("sent_at", MOMENT),
        sa.Column("succeeded_at", MOMENT),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", MOMENT),
        *constraints(),
        schema="refunds",
    )


def constraints() -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("book_id", "id", name="refunds_pkey"),
        sa.ForeignKeyConstraint(
            ["book_id", "order_id"],
            ["orders.orders.book_id", "orders.orders.id"],
            name="refunds_book_id_order_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "attempt_id"],
            ["orders.attempts.book_id", "orders.attempts.id"],
            name="refunds_book_id_attempt_id_fkey",
        ),
        sa.UniqueConstraint(
            "book_id", "order_id", "reference", name="refunds_book_id_order_id_reference_key"
        ),
        sa.UniqueConstraint("book_id", "number", name="refunds_book_id_number_key"),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'sent', 'unknown', 'failed', 'succeeded')",
            name="refunds_state_check",
        ),
        sa.CheckConstraint("origin IN ('order', 'suspense')", name="refunds_origin_check"),
        sa.CheckConstraint("amount_minor > 0", name="refunds_amount_check"),
        sa.CheckConstraint(
            "(state = 'succeeded') = (succeeded_at IS NOT NULL)", name="refunds_succeeded_check"
        ),
        sa.CheckConstraint("approved_by <> requested_by", name="refunds_four_eyes_check"),
    ]


def downgrade() -> None:
    limit_time()
    op.drop_table("refunds", schema="refunds")
    drop_schema("refunds")
