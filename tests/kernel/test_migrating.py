"""The core chain: each migration undoes exactly what it did, and two migrators do not collide."""

import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from alembic.script import ScriptDirectory
from psycopg import sql

from payments.kernel import migrating
from payments.kernel.database import Database
from payments.kernel.embedded import OWNER_ROLE, EmbeddedPostgres

FOREIGN = "('pg_catalog', 'information_schema', 'pg_toast')"
CATALOGUE = f"""
SELECT 'column', table_schema || '.' || table_name || '.' || column_name,
  concat_ws(' ', data_type, character_maximum_length, is_nullable, column_default)
FROM information_schema.columns WHERE table_schema NOT IN {FOREIGN}
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace::regnamespace::text NOT IN {FOREIGN} AND conrelid <> 0
UNION ALL SELECT 'index', schemaname || '.' || indexname, indexdef
FROM pg_indexes WHERE schemaname NOT IN {FOREIGN}
UNION ALL SELECT 'rights', oid::regclass::text, relacl::text
FROM pg_class WHERE relnamespace::regnamespace::text NOT IN {FOREIGN}
UNION ALL SELECT 'routine', oid::regprocedure::text, proacl::text
FROM pg_proc WHERE pronamespace::regnamespace::text NOT IN {FOREIGN}
UNION ALL SELECT 'schema', nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_'
UNION ALL SELECT 'type', oid::regtype::text, typtype::text
FROM pg_type WHERE typnamespace::regnamespace::text NOT IN {FOREIGN}
"""  # noqa: S608  no input of anybody's


@pytest.fixture
def empty(server: EmbeddedPostgres) -> Iterator[str]:
    """The owner's address of a database without any migration."""
    name = sql.Identifier(f"empty_{uuid4().hex[:12]}")
    with psycopg.connect(server.url("postgres", OWNER_ROLE), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield server.url(name.as_string().strip('"'), OWNER_ROLE)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def catalogue(url: str) -> set[tuple[str, ...]]:
    """Everything a migration could have left: tables, constraints, indexes, rights, routines."""
    with psycopg.connect(url) as connection:
        return {row for row in connection.execute(CATALOGUE) if "alembic_version" not in row[1]}


def test_every_migration_of_the_core_undoes_exactly_what_it_did(empty: str) -> None:
    """Seen to fail with a schema left behind by a downgrade."""
    script = ScriptDirectory.from_config(migrating.configuration(empty))
    chain = [revision.revision for revision in script.walk_revisions()][::-1]
    seen = [catalogue(empty)]
    for revision in chain:
        migrating.upgrade(empty, revision=revision)
        seen.append(catalogue(empty))
    for number in range(len(chain), 0, -1):
        assert catalogue(empty) == seen[number]
        migrating.downgrade(empty, revision=chain[number - 2] if number > 1 else "base")
        assert catalogue(empty) == seen[number - 1], f"{chain[number - 1]} leaves something behind"
    migrating.upgrade(empty)
    assert catalogue(empty) == seen[-1]


def test_two_migrators_at_once_migrate_once(empty: str) -> None:
    """Seen to fail with the advisory lock taken out."""
    code = "import sys; from payments.kernel import migrating; migrating.upgrade(sys.argv[1])"
    command = [sys.executable, "-c", code, empty]
    migrators = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    for migrator in migrators:
        _, complaint = migrator.communicate(timeout=60)
        assert migrator.returncode == 0, complaint.decode()
    assert catalogue(empty)


def test_a_migration_gives_up_rather_than_queue_behind_a_lock(empty: str) -> None:
    migrating.upgrade(empty)
    with psycopg.connect(empty) as connection:
        connection.execute("LOCK TABLE kernel.idempotency_keys IN ACCESS SHARE MODE")
        with pytest.raises(Exception, match="lock timeout"):
            migrating.downgrade(empty)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE kernel.mine (word text)",
        "DROP TABLE kernel.idempotency_keys",
        "ALTER TABLE kernel.idempotency_keys DROP COLUMN fence",
        "TRUNCATE kernel.idempotency_keys",
        "CREATE SCHEMA mine",
    ],
)
def test_the_runtime_role_changes_no_schema(fresh_database: Database, statement: str) -> None:
    with (
        psycopg.connect(fresh_database.url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(sql.SQL(statement))
