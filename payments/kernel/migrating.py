"""Alembic, driven from code: numbered migrations of the core and of each plug-in, and their grants.

Migrations run as the owner of the database; the runtime role gets exactly what each migration
grants it, so an append-only table is append-only whatever the code does.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alembic import command, op
from alembic.config import Config
from sqlalchemy import text

from payments.kernel.database import sqlalchemy_url
from payments.kernel.embedded import RUNTIME_ROLE

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"
LOCK_TIMEOUT_MS: Final = 2_000
STATEMENT_TIMEOUT_MS: Final = 60_000


def configuration(url: str, *, folders: Sequence[Path] = ()) -> Config:
    """Return Alembic's configuration for a database and the plug-ins' migration folders."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    locations = [MIGRATIONS / "versions", *folders]
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(folder) for folder in locations))
    config.attributes["url"] = sqlalchemy_url(url)
    return config


def upgrade(url: str, *, folders: Sequence[Path] = (), revision: str = "heads") -> None:
    """Bring the database up to `revision`."""
    command.upgrade(configuration(url, folders=folders), revision)


def downgrade(url: str, *, folders: Sequence[Path] = (), revision: str = "base") -> None:
    """Take the database down to `revision`."""
    command.downgrade(configuration(url, folders=folders), revision)


def limit_time() -> None:
    """Make the migration give up rather than queue behind locks; every migration calls it first."""
    op.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
    op.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"))


def create_schema(name: str) -> None:
    """Create a domain's PostgreSQL schema and let the runtime role see into it."""
    op.execute(text(f"CREATE SCHEMA {name}"))
    op.execute(text(f"GRANT USAGE ON SCHEMA {name} TO {RUNTIME_ROLE}"))


def drop_schema(name: str) -> None:
    """Drop a domain's schema, which must be empty by then."""
    op.execute(text(f"DROP SCHEMA {name}"))


def grant(table: str, privileges: str) -> None:
    """Grant the runtime role exactly these privileges on a table, such as "SELECT, INSERT"."""
    op.execute(text(f"GRANT {privileges} ON {table} TO {RUNTIME_ROLE}"))
