"""The ledger: books, accounts, journals and postings; what is posted stays as it was."""

from alembic import op

from payments.kernel.migrating import create_schema, drop_schema, grant, limit_time

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ACCOUNT_NAME = "^(assets|liabilities|equity|income|expenses)(:[A-Za-z0-9][A-Za-z0-9_-]{0,63})+$"

TABLES = (
    """
CREATE TABLE ledger.books (
    book_id varchar(6) NOT NULL,
    name text NOT NULL,
    opened_at timestamptz NOT NULL,
    CONSTRAINT books_pkey PRIMARY KEY (book_id)
)
""",
    """
CREATE TABLE ledger.calendars (
    book_id varchar(6) NOT NULL,
    open_from date NOT NULL,
    CONSTRAINT calendars_pkey PRIMARY KEY (book_id)
)
""",
    f"""
CREATE TABLE ledger.accounts (
    book_id varchar(6) NOT NULL,
    account text NOT NULL,
    currency varchar(3) NOT NULL,
    bounded boolean NOT NULL,
    opened_at timestamptz NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (book_id, account),
    CONSTRAINT accounts_account_name_check CHECK (account ~ '{ACCOUNT_NAME}')
)
""",
    """
CREATE TABLE ledger.bounded_balances (
    book_id varchar(6) NOT NULL,
    account text NOT NULL,
    balance_minor bigint NOT NULL DEFAULT 0,
    leaving_minor bigint NOT NULL DEFAULT 0,
    arriving_minor bigint NOT NULL DEFAULT 0,
    minimum_minor bigint,
    maximum_minor bigint,
    CONSTRAINT bounded_balances_pkey PRIMARY KEY (book_id, account),
    CONSTRAINT bounded_balances_book_id_account_fkey FOREIGN KEY (book_id, account)
        REFERENCES ledger.accounts (book_id, account),
    CONSTRAINT bounded_balances_minimum_check
        CHECK (balance_minor - leaving_minor >= minimum_minor),
    CONSTRAINT bounded_balances_maximum_check
        CHECK (balance_minor + arriving_minor <= maximum_minor),
    CONSTRAINT bounded_balances_reserved_check CHECK (leaving_minor >= 0 AND arriving_minor >= 0)
) WITH (fillfactor = 50)
""",
    """
CREATE TABLE ledger.journals (
    book_id varchar(6) NOT NULL,
    journal_id text NOT NULL,
    reference text NOT NULL,
    content_hash bytea NOT NULL,
    template text NOT NULL,
    template_version smallint NOT NULL,
    effective_at timestamptz NOT NULL,
    posted_at timestamptz NOT NULL,
    business_date date NOT NULL,
    late_for date,
    reverses_journal_id text,
    metadata jsonb NOT NULL,
    CONSTRAINT journals_pkey PRIMARY KEY (book_id, journal_id)
)
""",
    """
CREATE TABLE ledger.postings (
    book_id varchar(6) NOT NULL,
    journal_id text NOT NULL,
    line smallint NOT NULL,
    source text NOT NULL,
    destination text NOT NULL,
    amount_minor bigint NOT NULL,
    currency varchar(3) NOT NULL,
    business_date date NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT postings_pkey PRIMARY KEY (book_id, journal_id, line),
    CONSTRAINT postings_book_id_journal_id_fkey FOREIGN KEY (book_id, journal_id)
        REFERENCES ledger.journals (book_id, journal_id),
    CONSTRAINT postings_amount_check CHECK (amount_minor > 0),
    CONSTRAINT postings_movement_check CHECK (source <> destination)
)
""",
)

INDEXES = (
    "CREATE UNIQUE INDEX journals_reference_key ON ledger.journals (book_id, reference)",
    (
        "CREATE UNIQUE INDEX journals_reverses_key"
        " ON ledger.journals (book_id, reverses_journal_id)"
        " WHERE reverses_journal_id IS NOT NULL"
    ),
    (
        "CREATE INDEX journals_book_id_business_date_journal_id_idx"
        " ON ledger.journals (book_id, business_date, journal_id)"
    ),
    "CREATE INDEX postings_source_idx ON ledger.postings (book_id, source, xid)",
    "CREATE INDEX postings_destination_idx ON ledger.postings (book_id, destination, xid)",
    "CREATE INDEX postings_xid_idx ON ledger.postings (xid)",
)


def upgrade() -> None:
    limit_time()
    create_schema("ledger")
    for statement in (*TABLES, *INDEXES):
        op.get_bind().exec_driver_sql(statement)
    for table in ("books", "accounts", "journals", "postings"):
        grant(f"ledger.{table}", "SELECT, INSERT")
    for table in ("calendars", "bounded_balances"):
        grant(f"ledger.{table}", "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    limit_time()
    for table in ("postings", "journals", "bounded_balances", "accounts", "calendars", "books"):
        op.drop_table(table, schema="ledger")
    drop_schema("ledger")
