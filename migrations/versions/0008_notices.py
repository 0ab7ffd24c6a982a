"""The inbox of provider callbacks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from payments.kernel.migrating import create_schema, drop_schema, grant, limit_time

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    limit_time()
    create_schema("notices")
    op.create_table(
        "inbox",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("verified_at", MOMENT),
        sa.Column("notice_id", sa.String),
        sa.Column("effect", sa.String),
        sa.Column("kind", sa.String),
        sa.Column("report", JSONB),
        sa.Column("deliveries", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", MOMENT),
        sa.Column("settled_at", MOMENT),
        sa.Column("case_id", sa.String),
        sa.Column("reason", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="inbox_pkey"),
        sa.CheckConstraint(
            "state IN ('received', 'applied', 'rejected', 'parked')", name="inbox_state_check"
        ),
        schema="notices",
    )
    op.create_index(
        "inbox_once_idx",
        "inbox",
        ["provider", "account_id", "notice_id", "effect"],
        unique=True,
        schema="notices",
        postgresql_where=sa.text("notice_id IS NOT NULL"),
    )
    for name, column, state in (
        ("inbox_due_idx", "next_try_at", "received"),
        ("inbox_rejected_idx", "received_at", "rejected"),
        ("inbox_parked_idx", "received_at", "parked"),
    ):
        op.create_index(
            name,
            "inbox",
            [column],
            schema="notices",
            postgresql_where=sa.text(f"state = '{state}'"),
        )
    grant("notices.inbox", "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    limit_time()
    op.drop_table("inbox", schema="notices")
    drop_schema("notices")
