"""Roll-ups: what postings add up to, so that a balance need not add them all."""

from alembic import op
from sqlalchemy import text

from payments.kernel.migrating import grant, limit_time

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE ledger.watermarks (
    name text NOT NULL,
    xid xid8 NOT NULL,
    CONSTRAINT watermarks_pkey PRIMARY KEY (name)
)
""",
    """
CREATE TABLE ledger.totals (
    book_id varchar(6) NOT NULL,
    account text NOT NULL,
    currency varchar(3) NOT NULL,
    debits_minor bigint NOT NULL,
    credits_minor bigint NOT NULL,
    CONSTRAINT totals_pkey PRIMARY KEY (book_id, account)
) WITH (fillfactor = 50)
""",
    """
CREATE TABLE ledger.daily_totals (
    book_id varchar(6) NOT NULL,
    account text NOT NULL,
    business_date date NOT NULL,
    currency varchar(3) NOT NULL,
    debits_minor bigint NOT NULL,
    credits_minor bigint NOT NULL,
    first_xid xid8 NOT NULL,
    last_xid xid8 NOT NULL,
    CONSTRAINT daily_totals_pkey PRIMARY KEY (book_id, account, business_date)
) WITH (fillfactor = 50)
""",
)


def upgrade() -> None:
    limit_time()
    for statement in TABLES:
        op.execute(text(statement))
    op.execute(text("INSERT INTO ledger.watermarks VALUES ('roll-up', '0')"))
    grant("ledger.watermarks", "SELECT, UPDATE")
    grant("ledger.totals", "SELECT, INSERT, UPDATE")
    grant("ledger.daily_totals", "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    limit_time()
    for table in ("daily_totals", "totals", "watermarks"):
        op.drop_table(table, schema="ledger")
