"""Idempotency keys: who asked what before, and what was answered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payments.kernel.migrating import create_schema, drop_schema, grant, limit_time

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_time()
    create_schema("kernel")
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("status", sa.SmallInteger()),
        sa.Column("content_type", sa.Text()),
        sa.Column("headers", postgresql.JSONB()),
        sa.Column("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("scope", "key", name="idempotency_keys_pkey"),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 255", name="idempotency_keys_key_check"),
        sa.CheckConstraint("status BETWEEN 200 AND 499", name="idempotency_keys_status_check"),
        sa.CheckConstraint(
            "num_nulls(answered_at, status, content_type, headers, body) IN (0, 5)",
            name="idempotency_keys_answer_check",
        ),
        schema="kernel",
    )
    op.create_index(
        "idempotency_keys_claimed_at_idx", "idempotency_keys", ["claimed_at"], schema="kernel"
    )
    grant("kernel.idempotency_keys", "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    limit_time()
    op.drop_table("idempotency_keys", schema="kernel")
    drop_schema("kernel")
