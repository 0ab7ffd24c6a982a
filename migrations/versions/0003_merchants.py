"""Merchants, their devices, keys and callback endpoints; the memory of nonces."""

import sqlalchemy as sa
from alembic import op

from payments.kernel.migrating import create_schema, drop_schema, grant, limit_time

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "merchants"


def upgrade() -> None:
    limit_time()
    create_schema(SCHEMA)
    _create_merchants_and_devices()
    _create_keys_and_nonces()
    _create_endpoints()
    _create_secrets()
    for table, privileges in (
        ("merchants", "SELECT, INSERT, UPDATE"),
        ("devices", "SELECT, INSERT, UPDATE"),
        ("signing_keys", "SELECT, INSERT, UPDATE"),
        ("nonces", "SELECT, INSERT, UPDATE, DELETE"),
        ("callback_endpoints", "SELECT, INSERT, UPDATE"),
        ("endpoint_secrets", "SELECT, INSERT, UPDATE"),
    ):
        grant(f"{SCHEMA}.{table}", privileges)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _create_merchants_and_devices() -> None:
    op.create_table(
        "merchants",
        _text("merchant_id"),
        _text("book_id"),
        _text("name_zh"),
        _text("name_en"),
        _text("credit_code"),
        _text("status"),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("merchant_id", name="merchants_pkey"),
        sa.UniqueConstraint("book_id", name="merchants_book_id_key"),
        sa.UniqueConstraint("credit_code", name="merchants_credit_code_key"),
        sa.CheckConstraint(
            "status IN ('draft', 'review', 'active', 'suspended', 'closed')",
            name=op.f("merchants_status_check"),
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "devices",
        _text("device_id"),
        _text("merchant_id"),
        _text("kind"),
        _text("name"),
        _text("place", nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("device_id", name="devices_pkey"),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.merchants.merchant_id"], name="devices_merchant_id_fkey"
        ),
        sa.CheckConstraint(
            "kind IN ('kiosk', 'gate', 'gantry', 'terminal')", name=op.f("devices_kind_check")
        ),
        schema=SCHEMA,
    )
    op.create_index("devices_merchant_id_idx", "devices", ["merchant_id"], schema=SCHEMA)


def _create_keys_and_nonces() -> None:
    op.create_table(
        "signing_keys",
        _text("key_id"),
        _text("merchant_id"),
        _text("owner_kind"),
        _text("device_id", nullable=True),
        _text("algorithm"),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        _moment("valid_from"),
        _moment("valid_until", nullable=True),
        _moment("revoked_at", nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("key_id", name="signing_keys_pkey"),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchants.merchants.merchant_id"],
            name="signing_keys_merchant_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["merchants.devices.device_id"], name="signing_keys_device_id_fkey"
        ),
        sa.CheckConstraint(
            "owner_kind IN ('merchant', 'device')", name=op.f("signing_keys_owner_kind_check")
        ),
        sa.CheckConstraint("algorithm IN ('ed25519')", name=op.f("signing_keys_algorithm_check")),
        sa.CheckConstraint(
            "(owner_kind = 'device') = (device_id IS NOT NULL)",
            name=op.f("signing_keys_owner_check"),
        ),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("signing_keys_validity_check")),
        schema=SCHEMA,
    )
    op.create_index("signing_keys_merchant_id_idx", "signing_keys", ["merchant_id"], schema=SCHEMA)
    op.create_table(
        "nonces",
        _text("key_id"),
        _text("nonce"),
        _moment("forget_at"),
        sa.PrimaryKeyConstraint("key_id", "nonce", name="nonces_pkey"),
        schema=SCHEMA,
    )
    op.create_index("nonces_forget_at_idx", "nonces", ["forget_at"], schema=SCHEMA)


def _create_endpoints() -> None:
    op.create_table(
        "callback_endpoints",
        _text("endpoint_id"),
        _text("merchant_id"),
        _text("book_id"),
        _text("url"),
        sa.Column("events", sa.ARRAY(sa.Text), nullable=False),
        _text("api_version"),
        _text("status"),
        _text("disabled_reason", nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("endpoint_id", name="callback_endpoints_pkey"),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchants.merchants.merchant_id"],
            name="callback_endpoints_merchant_id_fkey",
        ),
        sa.CheckConstraint(
            "status IN ('active', 'disabled')", name=op.f("callback_endpoints_status_check")
        ),
        sa.CheckConstraint(
            "disabled_reason IN ('owner', 'gone', 'failing')",
            name=op.f("callback_endpoints_disabled_reason_check"),
        ),
        sa.CheckConstraint(
            "(status = 'disabled') = (disabled_reason IS NOT NULL)",
            name=op.f("callback_endpoints_reason_check"),
        ),
        schema=SCHEMA,
    )
    for column in ("merchant_id", "book_id"):
        op.create_index(
            f"callback_endpoints_{column}_idx", "callback_endpoints", [column], schema=SCHEMA
        )


def _create_secrets() -> None:
    op.create_table(
        "endpoint_secrets",
        _text("secret_id"),
        _text("endpoint_id"),
        _text("kind"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        _text("public_key", nullable=True),
        _moment("retires_at", nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("secret_id", name="endpoint_secrets_pkey"),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["merchants.callback_endpoints.endpoint_id"],
            name="endpoint_secrets_endpoint_id_fkey",
        ),
        sa.CheckConstraint("kind IN ('v1', 'v1a')", name=op.f("endpoint_secrets_kind_check")),
        sa.CheckConstraint(
            "(kind = 'v1a') = (public_key IS NOT NULL)", name=op.f("endpoint_secrets_public_check")
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "endpoint_secrets_endpoint_id_idx", "endpoint_secrets", ["endpoint_id"], schema=SCHEMA
    )


def downgrade() -> None:
    limit_time()
    for table in (
        "endpoint_secrets",
        "callback_endpoints",
        "nonces",
        "signing_keys",
        "devices",
        "merchants",
    ):
        op.drop_table(table, schema=SCHEMA)
    drop_schema(SCHEMA)
