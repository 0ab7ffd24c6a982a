"""Identity: citizens, external identities, personal data, sessions, families, staff."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from payments.kernel.migrating import create_schema, drop_schema, grant, limit_time

revision = "identity_0001"
down_revision = None
branch_labels = ("identity",)
depends_on = ("0001",)

MOMENT = TIMESTAMP(timezone=True)

GRANTS = {
    "citizens": "SELECT, INSERT, UPDATE",  # UPDATE is what SELECT … FOR UPDATE asks for.
    "external_identities": "SELECT, INSERT, UPDATE",
    "known_subjects": "SELECT, INSERT",
    "personal_details": "SELECT, INSERT, UPDATE",
    "known_id_numbers": "SELECT, INSERT",
    "personal_data_reads": "SELECT, INSERT",
    "sessions": "SELECT, INSERT, UPDATE, DELETE",
    "refresh_tokens": "SELECT, INSERT, UPDATE, DELETE",
    "guardianships": "SELECT, INSERT, UPDATE",
    "consent_codes": "SELECT, INSERT, UPDATE, DELETE",
    "staff": "SELECT, INSERT, UPDATE",
    "staff_roles": "SELECT, INSERT",
    "staff_sessions": "SELECT, INSERT, UPDATE, DELETE",
    "staff_refresh_tokens": "SELECT, INSERT, UPDATE, DELETE",
    "attempts": "SELECT, INSERT, UPDATE, DELETE",
    "spent_codes": "SELECT, INSERT, DELETE",
}


def upgrade() -> None:
    limit_time()
    create_schema("identity")
    create_citizens()
    create_personal_data()
    create_staff()
    for prefix, owner, table in (("", "citizen_id", "citizens"), ("staff_", "staff_id", "staff")):
        create_sessions(prefix, owner, f"identity.{table}.{owner}")
    create_guardianships()
    create_consent_codes()
    create_attempts()
    for table, privileges in GRANTS.items():
        grant(f"identity.{table}", privileges)


def create_citizens() -> None:
    op.create_table(
        "citizens",
        sa.Column("citizen_id", sa.String, primary_key=True),
        sa.Column("created_at", MOMENT, nullable=False),
        schema="identity",
    )
    op.create_table(
        "external_identities",
        sa.Column("citizen_id", sa.String, nullable=False),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("app_id", sa.String, nullable=False),
        sa.Column("subject_sealed", sa.LargeBinary, nullable=False),
        sa.Column("linked_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "provider", "app_id"),
        sa.ForeignKeyConstraint(["citizen_id"], ["identity.citizens.citizen_id"]),
        schema="identity",
    )
    op.create_table(
        "known_subjects",
        sa.Column("subject_index", sa.LargeBinary, primary_key=True),
        sa.Column("citizen_id", sa.String, nullable=False),
        sa.Column("linked_at", MOMENT, nullable=False),
        schema="identity",
    )


def create_personal_data() -> None:
    op.create_table(
        "personal_details",
        sa.Column("citizen_id", sa.String, primary_key=True),
        sa.Column("name_sealed", sa.LargeBinary),
        sa.Column("id_number_sealed", sa.LargeBinary),
        sa.Column("real_name_at", MOMENT),
        sa.Column("phone_sealed", sa.LargeBinary),
        sa.Column("phone_index", sa.LargeBinary),
        sa.Column("phone_at", MOMENT),
        sa.ForeignKeyConstraint(["citizen_id"], ["identity.citizens.citizen_id"]),
        schema="identity",
    )
    op.create_index(
        "personal_details_phone_index_idx", "personal_details", ["phone_index"], schema="identity"
    )
    op.create_table(
        "known_id_numbers",
        sa.Column("number_index", sa.LargeBinary, primary_key=True),
        sa.Column("citizen_id", sa.String, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        schema="identity",
    )
    op.create_table(
        "personal_data_reads",
        sa.Column("citizen_id", sa.String, nullable=False),
        sa.Column("read_id", sa.String, nullable=False),
        sa.Column("reader_kind", sa.String, nullable=False),
        sa.Column("reader_id", sa.String, nullable=False),
        sa.Column("fields", ARRAY(sa.String), nullable=False),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "read_id"),
        schema="identity",
    )
    op.create_index(
        "personal_data_reads_citizen_id_read_at_idx",
        "personal_data_reads",
        ["citizen_id", "read_at"],
        schema="identity",
    )


def create_staff() -> None:
    op.create_table(
        "staff",
        sa.Column("staff_id", sa.String, primary_key=True),
        sa.Column("username", sa.String, nullable=False),
        sa.Column("password_hash", sa.String, nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("disabled_at", MOMENT),
        sa.UniqueConstraint("username", name="staff_username_key"),
        schema="identity",
    )
    op.create_table(
        "staff_roles",
        sa.Column("staff_id", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("staff_id", "role"),
        sa.ForeignKeyConstraint(["staff_id"], ["identity.staff.staff_id"]),
        sa.CheckConstraint(
            "role IN ('finance-clerk', 'finance-approver', 'operator', 'support', 'auditor',"
            " 'administrator')",
            name="staff_roles_role_check",
        ),
        schema="identity",
    )


def create_sessions(prefix: str, owner: str, target: str) -> None:
    op.create_table(
        f"{prefix}sessions",
        sa.Column(owner, sa.String, nullable=False),
        sa.Column("session_id", sa.String, nullable=False),
        sa.Column("signed_in_with", sa.String, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("refreshed_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revocation", sa.String),
        sa.PrimaryKeyConstraint(owner, "session_id"),
        sa.ForeignKeyConstraint([owner], [target]),
        schema="identity",
    )
    op.create_table(
        f"{prefix}refresh_tokens",
        sa.Column(owner, sa.String, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("session_id", sa.String, nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("rotated_at", MOMENT),
        sa.PrimaryKeyConstraint(owner, "token_hash"),
        sa.ForeignKeyConstraint(
            [owner, "session_id"],
            [f"identity.{prefix}sessions.{owner}", f"identity.{prefix}sessions.session_id"],
            ondelete="CASCADE",
        ),
        schema="identity",
    )
    for table, columns in (
        (f"{prefix}sessions", ["expires_at"]),
        (f"{prefix}refresh_tokens", ["expires_at"]),
        (f"{prefix}refresh_tokens", [owner, "session_id"]),
    ):
        op.create_index(f"{table}_{'_'.join(columns)}_idx", table, columns, schema="identity")


def create_guardianships() -> None:
    op.create_table(
        "guardianships",
        sa.Column("citizen_id", sa.String, nullable=False),
        sa.Column("guardianship_id", sa.String, nullable=False),
        sa.Column("guardian_id", sa.String, nullable=False),
        sa.Column("relation", sa.String, nullable=False),
        sa.Column("consent", sa.String, nullable=False),
        sa.Column("consented_by", sa.String, nullable=False),
        sa.Column("consented_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("end_reason", sa.String),
        sa.PrimaryKeyConstraint("citizen_id", "guardianship_id"),
        sa.ForeignKeyConstraint(["citizen_id"], ["identity.citizens.citizen_id"]),
        sa.CheckConstraint(
            "relation IN ('child', 'grandchild', 'parent', 'grandparent', 'spouse', 'ward')",
            name="guardianships_relation_check",
        ),
        sa.CheckConstraint(
            "consent IN ('declaration', 'code')", name="guardianships_consent_check"
        ),
        sa.CheckConstraint(
            "end_reason IN ('guardian', 'ward', 'lapsed')", name="guardianships_end_reason_check"
        ),
        sa.CheckConstraint("guardian_id <> citizen_id", name="guardianships_somebody_else_check"),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (end_reason IS NULL)", name="guardianships_end_with_reason_check"
        ),
        sa.CheckConstraint("ends_at > started_at", name="guardianships_some_time_check"),
        schema="identity",
    )
    op.create_index(
        "guardianships_one_current_idx",
        "guardianships",
        ["citizen_id", "guardian_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        schema="identity",
    )
    op.create_index(
        "guardianships_guardian_id_idx", "guardianships", ["guardian_id"], schema="identity"
    )


def create_consent_codes() -> None:
    op.create_table(
        "consent_codes",
        sa.Column("code_hash", sa.LargeBinary, primary_key=True),
        sa.Column("citizen_id", sa.String, nullable=False),
        sa.Column("consented_by", sa.String, nullable=False),
        sa.Column("until", sa.Date),
        sa.Column("offered_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("redeemed_at", MOMENT),
        schema="identity",
    )
    for column in ("citizen_id", "expires_at"):
        op.create_index(f"consent_codes_{column}_idx", "consent_codes", [column], schema="identity")


def create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("bucket", sa.LargeBinary, primary_key=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("resets_at", MOMENT, nullable=False),
        schema="identity",
    )
    op.create_index("attempts_resets_at_idx", "attempts", ["resets_at"], schema="identity")
    op.create_table(
        "spent_codes",
        sa.Column("code_hash", sa.LargeBinary, primary_key=True),
        sa.Column("spent_at", MOMENT, nullable=False),
        schema="identity",
    )
    op.create_index("spent_codes_spent_at_idx", "spent_codes", ["spent_at"], schema="identity")


def downgrade() -> None:
    limit_time()
    for table in (
        *("spent_codes", "attempts", "consent_codes", "guardianships"),
        *("staff_refresh_tokens", "staff_sessions", "refresh_tokens", "sessions"),
        *("staff_roles", "staff", "personal_data_reads", "known_id_numbers"),
        *("personal_details", "known_subjects", "external_identities", "citizens"),
    ):
        op.drop_table(table, schema="identity")
    drop_schema("identity")
