"""${message}.

Old and new code run side by side during a deployment: add before you use, stop using before you
drop; never rename in one step.
"""

from alembic import op

from payments.kernel.migrating import create_schema, drop_schema, grant, limit_time

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    limit_time()
    ${upgrades if upgrades else ""}


def downgrade() -> None:
    limit_time()
    ${downgrades if downgrades else ""}
