"""Hold providers and revocations to their words; let a member of staff lose a role."""

from alembic import op

from payments.kernel.embedded import RUNTIME_ROLE
from payments.kernel.migrating import grant, limit_time

revision = "identity_0002"
down_revision = "identity_0001"
branch_labels = None
depends_on = None

REVOCATIONS = "revocation IN ('signed-out', 'revoked', 'reused', 'crowded', 'disabled')"
PROVIDERS = "provider IN ('alipay', 'wechat')"
CHECKS = (
    ("sessions", "revocation", REVOCATIONS),
    ("staff_sessions", "revocation", REVOCATIONS),
    ("external_identities", "provider", PROVIDERS),
)


def upgrade() -> None:
    limit_time()
    for table, name, condition in CHECKS:
        op.create_check_constraint(f"{table}_{name}_check", table, condition, schema="identity")
    grant("identity.staff_roles", "DELETE")


def downgrade() -> None:
    limit_time()
    op.execute(f"REVOKE DELETE ON identity.staff_roles FROM {RUNTIME_ROLE}")
    for table, name, _ in CHECKS:
        op.drop_constraint(f"{table}_{name}_check", table, schema="identity")
