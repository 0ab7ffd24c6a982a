"""Seals: closed days, signed and chained, and the gate through which days are closed."""

from alembic import op
from sqlalchemy import text

from payments.kernel.migrating import grant, limit_time

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE ledger.gate (
    name text NOT NULL,
    CONSTRAINT gate_pkey PRIMARY KEY (name),
    CONSTRAINT gate_empty_check CHECK (false)
)
""",
    """
CREATE TABLE ledger.seals (
    book_id varchar(6) NOT NULL,
    business_date date NOT NULL,
    document text NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL,
    root bytea NOT NULL,
    previous bytea NOT NULL,
    journals integer NOT NULL,
    postings integer NOT NULL,
    CONSTRAINT seals_pkey PRIMARY KEY (book_id, business_date)
)
""",
    """
CREATE TABLE ledger.seal_chunks (
    book_id varchar(6) NOT NULL,
    business_date date NOT NULL,
    chunk integer NOT NULL,
    first_journal_id text NOT NULL,
    root bytea NOT NULL,
    CONSTRAINT seal_chunks_pkey PRIMARY KEY (book_id, business_date, chunk),
    CONSTRAINT seal_chunks_book_id_business_date_fkey FOREIGN KEY (book_id, business_date)
        REFERENCES ledger.seals (book_id, business_date)
)
""",
)


def upgrade() -> None:
    limit_time()
    for statement in TABLES:
        op.execute(text(statement))
    op.execute(text("ALTER TABLE ledger.calendars ADD COLUMN opened_on date"))
    op.execute(text("UPDATE ledger.calendars SET opened_on = open_from"))
    op.execute(text("ALTER TABLE ledger.calendars ALTER COLUMN opened_on SET NOT NULL"))
    grant("ledger.gate", "SELECT, UPDATE")
    grant("ledger.seals", "SELECT, INSERT")
    grant("ledger.seal_chunks", "SELECT, INSERT")


def downgrade() -> None:
    limit_time()
    op.execute(text("ALTER TABLE ledger.calendars DROP COLUMN opened_on"))
    for table in ("seal_chunks", "seals", "gate"):
        op.drop_table(table, schema="ledger")
