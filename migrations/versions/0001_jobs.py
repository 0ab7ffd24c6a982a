"""Jobs: procrastinate's own tables, in a schema of their own that connections search by default."""

import procrastinate.schema
from alembic import op
from sqlalchemy import text

from payments.kernel.embedded import RUNTIME_ROLE
from payments.kernel.migrating import create_schema, limit_time

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_time()
    create_schema("jobs")
    op.execute(text("SET LOCAL search_path = jobs"))
    op.get_bind().exec_driver_sql(
        procrastinate.schema.SchemaManager.get_schema().replace("%", "%%")
    )
    for kind, privileges in (
        ("TABLES", "SELECT, INSERT, UPDATE, DELETE"),
        ("SEQUENCES", "USAGE"),
        ("FUNCTIONS", "EXECUTE"),
    ):
        op.execute(text(f"GRANT {privileges} ON ALL {kind} IN SCHEMA jobs TO {RUNTIME_ROLE}"))
    op.execute(text("SET LOCAL search_path = public"))


def downgrade() -> None:
    limit_time()
    op.execute(text("DROP SCHEMA jobs CASCADE"))
