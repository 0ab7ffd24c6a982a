"""Tickets bought on the phone and collected at a kiosk."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from payments.kernel.migrating import create_schema, drop_schema, grant, limit_time

revision = "transit_0001"
down_revision = None
branch_labels = ("transit",)
depends_on = "0001"

MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    limit_time()
    create_schema("transit")
    create_tickets()
    op.create_index(
        "tickets_citizen_idx", "tickets", ["citizen_id", "ordered_at", "id"], schema="transit"
    )
    op.create_index(
        "tickets_uncollected_idx",
        "tickets",
        ["collect_until"],
        schema="transit",
        postgresql_where=sa.text("state = 'paid'"),
    )
    grant("transit.tickets", "SELECT, INSERT, UPDATE")


def create_tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("book_id", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("citizen_id", sa.String, nullable=False),
        sa.Column("order_id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("from_station", sa.String, nullable=False),
        sa.Column("to_station", sa.String, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("fare_minor", sa.BigInteger, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("distance_m", sa.Integer, nullable=False),
        sa.Column("explanation", JSONB, nullable=False),
        sa.Column("ordered_at", MOMENT, nullable=False),
        sa.Column("pay_until", MOMENT, nullable=False),
        sa.Column("collect_until", MOMENT, nullable=False),
        sa.Column("pick_up_code", sa.String),
        sa.Column("paid_at", MOMENT),
        sa.Column("collected_at", MOMENT),
        sa.Column("collected_by", sa.String),
        sa.Column("refund_id", sa.String),
        sa.Column("refused_refund_id", sa.String),
        sa.Column("refund_reason", sa.String),
        sa.Column("refunded_at", MOMENT),
        sa.Column("lapsed_at", MOMENT),
        sa.PrimaryKeyConstraint("book_id", "id", name="tickets_pkey"),
        sa.UniqueConstraint("book_id", "order_id", name="tickets_book_id_order_id_key"),
        sa.UniqueConstraint("book_id", "pick_up_code", name="tickets_book_id_pick_up_code_key"),
        *checks(),
        schema="transit",
    )


def checks() -> list[sa.CheckConstraint]:
    conditions = {
        "state": "state IN ('ordered', 'paid', 'collected', 'refunding', 'refunded', 'lapsed')",
        "refund_reason": "refund_reason IN ('asked', 'not-collected')",
        "count": "count > 0",
        "amount": "fare_minor > 0 AND amount_minor = fare_minor * count",
        "pick_up_code": "(state IN ('ordered', 'lapsed')) = (pick_up_code IS NULL)",
        "collected": "(state = 'collected') = (collected_at IS NOT NULL)",
        "refund": "(state IN ('refunding', 'refunded')) = (refund_id IS NOT NULL)",
    }
    return [
        sa.CheckConstraint(condition, name=f"tickets_{name}_check")
        for name, condition in conditions.items()
    ]


def downgrade() -> None:
    limit_time()
    op.drop_table("tickets", schema="transit")
    drop_schema("transit")
