"""The sharding rule, and migrations that are numbered, reversible and agree with the models."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import (
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    create_engine,
)

import payments
import services
from payments.kernel import migrating
from payments.kernel.database import Model, sqlalchemy_url
from payments.kernel.embedded import OWNER_ROLE, EmbeddedPostgres
from tests.conftest import TEMPLATE, migration_folders

SHARDING_COLUMNS = {"book_id", "citizen_id"}
SHARDING_WORDS = {*SHARDING_COLUMNS, "reference", "local"}


def modules(package: ModuleType) -> Iterator[str]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield found.name


def tables() -> list[Table]:
    """Every table of every model of the platform."""
    for package in (payments, services):
        for name in modules(package):
            if re.search(r"\.models(\.|$)|\.kernel\.", name):
                importlib.import_module(name)
    return list(Model.metadata.tables.values())


def broken_keys(table: Table) -> Iterator[str]:
    column = table.info["sharding"]
    for constraint in table.constraints:
        names = {key.name for key in getattr(constraint, "columns", ())}
        if isinstance(constraint, ForeignKeyConstraint):
            target = constraint.referred_table
            if target.info.get("sharding") == "reference":
                continue
        elif not isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            continue
        if column not in names:
            yield f"{table.fullname}: {constraint.name} lacks {column}"
    for index in table.indexes:
        if index.unique and column not in {key.name for key in index.columns}:
            yield f"{table.fullname}: {index.name} lacks {column}"


def test_every_table_says_how_it_would_be_distributed() -> None:
    found = tables()
    silent = [table.fullname for table in found if table.info.get("sharding") not in SHARDING_WORDS]
    assert not silent, f"add info={{'sharding': …}} (see payments.kernel.database.Model): {silent}"
    bare = [table.fullname for table in found if not table.schema]
    assert not bare, f"name the domain's PostgreSQL schema: {bare}"


def test_every_key_carries_the_sharding_column() -> None:
    broken = [
        line
        for table in tables()
        if table.info.get("sharding") in SHARDING_COLUMNS
        for line in broken_keys(table)
    ]
    assert not broken, f"put the column into the key (DESIGN, sharding rule): {broken}"


def test_no_constraint_is_deferrable_and_no_table_has_triggers(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url(TEMPLATE, OWNER_ROLE)) as connection:
        triggers = connection.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE NOT tgisinternal AND relnamespace::regnamespace::text <> 'jobs'"
        ).fetchall()
        deferrable = connection.execute(
            "SELECT conname FROM pg_constraint WHERE condeferrable"
        ).fetchall()
    assert not triggers
    assert not deferrable


def test_migrations_are_numbered_without_gaps_and_each_branch_has_one_head() -> None:
    script = ScriptDirectory.from_config(
        migrating.configuration("postgresql://", folders=migration_folders())
    )
    for folder in (migrating.MIGRATIONS / "versions", *migration_folders()):
        names = sorted(path.name for path in Path(folder).glob("[0-9]*.py"))
        numbers = [int(name[:4]) for name in names]
        assert numbers == list(range(1, len(numbers) + 1)), f"{folder}: {names}"
    assert len(script.get_heads()) == 1 + len(migration_folders())


def test_migrations_go_up_down_and_up_and_agree_with_the_models(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url("postgres", OWNER_ROLE), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE up_down_up"))
    url = server.url("up_down_up", OWNER_ROLE)
    migrating.upgrade(url, folders=migration_folders())
    migrating.downgrade(url, folders=migration_folders())
    with psycopg.connect(url) as connection:
        left = connection.execute(
            "SELECT nspname FROM pg_namespace"
            " WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')"
        ).fetchall()
    assert not left, f"downgrade leaves schemas behind: {left}"
    migrating.upgrade(url, folders=migration_folders())
    tables()
    engine = create_engine(sqlalchemy_url(url))
    with engine.connect() as live:
        context = MigrationContext.configure(
            live,
            opts={
                "include_schemas": True,
                "compare_type": True,
                "include_name": lambda name, kind, _: (
                    kind != "schema" or name not in {"jobs", "public"}
                ),
            },
        )
        differences = compare_metadata(context, Model.metadata)
    engine.dispose()
    assert not differences, f"models and migrations disagree: {differences}"
