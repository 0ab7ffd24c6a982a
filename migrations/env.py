"""Alembic's entry: one migrator at a time, each migration in its own transaction."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from payments.kernel.embedded import RUNTIME_ROLE

ONE_MIGRATOR = 0x71746D69  # An advisory lock key: two deployments never migrate at once.

engine = create_engine(
    context.config.attributes["url"],
    poolclass=pool.NullPool,
    connect_args={"options": "-c timezone=UTC"},
)
with engine.connect() as connection:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_MIGRATOR})
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
    # Readiness compares what is applied with what the code knows.
    connection.execute(text(f"GRANT SELECT ON alembic_version TO {RUNTIME_ROLE}"))
    connection.commit()
