"""Reservations: amounts held for journals that are not yet certain."""

from alembic import op
from sqlalchemy import text

from payments.kernel.migrating import grant, limit_time

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

RESERVATIONS = """
CREATE TABLE ledger.reservations (
    book_id varchar(6) NOT NULL,
    reservation_id text NOT NULL,
    reference text NOT NULL,
    content_hash bytea NOT NULL,
    template text NOT NULL,
    template_version smallint NOT NULL,
    currency varchar(3) NOT NULL,
    metadata jsonb NOT NULL,
    state text NOT NULL,
    effective_at timestamptz NOT NULL,
    reserved_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    settled_at timestamptz,
    journal_id text,
    CONSTRAINT reservations_pkey PRIMARY KEY (book_id, reservation_id),
    CONSTRAINT reservations_state_check
        CHECK (state IN ('pending', 'posted', 'voided', 'expired')),
    CONSTRAINT reservations_journal_check CHECK ((state = 'posted') = (journal_id IS NOT NULL))
)
"""

LINES = """
CREATE TABLE ledger.reservation_lines (
    book_id varchar(6) NOT NULL,
    reservation_id text NOT NULL,
    line smallint NOT NULL,
    name text NOT NULL,
    source text NOT NULL,
    destination text NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT reservation_lines_pkey PRIMARY KEY (book_id, reservation_id, line),
    CONSTRAINT reservation_lines_book_id_reservation_id_fkey FOREIGN KEY (book_id, reservation_id)
        REFERENCES ledger.reservations (book_id, reservation_id),
    CONSTRAINT reservation_lines_amount_check CHECK (amount_minor > 0),
    CONSTRAINT reservation_lines_movement_check CHECK (source <> destination)
)
"""

REFERENCE = """
CREATE UNIQUE INDEX reservations_reference_key ON ledger.reservations (book_id, reference)
"""

PENDING = """
CREATE INDEX reservations_pending_idx ON ledger.reservations (expires_at) WHERE state = 'pending'
"""


def upgrade() -> None:
    limit_time()
    for statement in (RESERVATIONS, LINES, REFERENCE, PENDING):
        op.execute(text(statement))
    grant("ledger.reservations", "SELECT, INSERT, UPDATE (state, settled_at, journal_id)")
    grant("ledger.reservation_lines", "SELECT, INSERT")


def downgrade() -> None:
    limit_time()
    op.drop_table("reservation_lines", schema="ledger")
    op.drop_table("reservations", schema="ledger")
