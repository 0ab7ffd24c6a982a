import shutil
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.embedded import OWNER_ROLE, EmbeddedPostgres
from services.host.manifest import Plugin, Title
from tests.host.umbrellas import PLUGIN, app_over


@pytest.fixture
def app(clock: FixedClock) -> Flask:
    app: Flask = app_over(None, clock)
    return app


def invoke(app: Flask, *arguments: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=list(arguments))
    return result.exit_code, result.output


@pytest.mark.parametrize(
    "arguments",
    [
        *(("plugins",), ("openapi",), ("openapi", "write"), ("openapi", "check"), ("migrate",)),
        *(("migrate", "up"), ("migrate", "down"), ("migrate", "new"), ("worker",)),
    ],
)
def test_every_command_explains_itself(app: Flask, arguments: tuple[str, ...]) -> None:
    code, output = invoke(app, *arguments, "--help")
    assert code == 0
    assert "Usage:" in output
    assert len(output.splitlines()) > 3


def test_plugins_are_listed(app: Flask) -> None:
    assert invoke(app, "plugins") == (
        0,
        "umbrellas  雨伞 Umbrellas  1 blueprints, 1 catalogue entries\n",
    )


def test_the_openapi_document_is_written_and_checked(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "openapi" / "v1.json"
    code, output = invoke(app, "openapi", "check", "--file", str(path))
    assert code == 1
    assert output == f"Error: {path} is out of date: run flask openapi write\n"
    assert invoke(app, "openapi", "write", "--file", str(path))[0] == 0
    assert invoke(app, "openapi", "check", "--file", str(path))[0] == 0
    path.write_text(path.read_text("utf-8").replace("umbrella", "parasol"), "utf-8")
    assert invoke(app, "openapi", "check", "--file", str(path))[0] == 1


def test_a_failure_is_one_line_and_no_stack_trace(app: Flask) -> None:
    code, output = invoke(app, "migrate", "up")
    assert code == 1
    assert output.startswith("Error: database: ")
    assert len(output.splitlines()) == 1


def test_a_database_without_tables_says_what_to_do(
    server: EmbeddedPostgres, clock: FixedClock, tmp_path: Path
) -> None:
    with psycopg.connect(server.url("postgres", OWNER_ROLE), autocommit=True) as connection:
        connection.execute("CREATE DATABASE never_migrated")
    app = app_over(None, clock, database_url=server.url("never_migrated", OWNER_ROLE))
    assert invoke(app, "export", "day", "--date", "2026-11-22", "--out", str(tmp_path)) == (
        1,
        "Error: the database's tables are missing or old: run flask migrate up\n",
    )
    app.extensions["qiantang"].close()


def test_migrations_go_down_and_up(server: EmbeddedPostgres, clock: FixedClock) -> None:
    with psycopg.connect(server.url("postgres", OWNER_ROLE), autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated_by_command")
    app = app_over(None, clock, database_url=server.url("migrated_by_command", OWNER_ROLE))
    assert invoke(app, "migrate", "up")[0] == 0
    assert invoke(app, "migrate", "down", "--revision", "base", "--yes")[0] == 0
    client = app.test_client()
    assert client.get("/health/ready").get_json()["checks"]["migrations"] == "behind"
    assert invoke(app, "migrate", "up", "--revision", "0001")[0] == 0
    assert client.get("/health/ready").get_json()["checks"]["migrations"] == "behind"
    assert invoke(app, "migrate", "up")[0] == 0
    assert client.get("/health/ready").get_json()["status"] == "ready"
    platform = app.extensions["qiantang"]
    platform.close()


def test_a_migration_of_a_newer_release_does_not_make_us_unready(
    fresh_database: Database, clock: FixedClock
) -> None:
    owner = Database(fresh_database.url.replace("qiantang_runtime", OWNER_ROLE))
    with owner.transaction() as session:
        session.execute(text("INSERT INTO public.alembic_version VALUES ('9999')"))
    owner.close()
    answer = app_over(fresh_database, clock).test_client().get("/health/ready")
    assert answer.get_json()["status"] == "ready"


def test_a_migration_is_started_with_the_next_number(clock: FixedClock, tmp_path: Path) -> None:
    plugin = Plugin(name="lamps", title=Title(zh="灯", en="Lamps"), migrations=tmp_path)
    app = app_over(None, clock, PLUGIN, plugin)
    for number, words in ((1, "Add the lamps"), (2, "Let lamps be switched off!")):
        code, output = invoke(app, "migrate", "new", "--plugin", "lamps", words)
        assert code == 0, output
        (path,) = tmp_path.glob(f"{number:04d}_*.py")
        written = path.read_text("utf-8")
        assert f"revision = 'lamps_{number:04d}'" in written
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
    assert path.name == "0002_let_lamps_be_switched_off.py"
    assert "down_revision = 'lamps_0001'" in written
    assert "branch_labels = None" in written
    first = next(tmp_path.glob("0001_*.py")).read_text("utf-8")
    assert "branch_labels = ('lamps',)" in first
    assert "down_revision = None" in first
    assert "depends_on = '0" in first


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--plugin", "umbrellas", "add"), "umbrellas has no migrations folder; there are: core"),
        (("--plugin", "zoo", "add"), "zoo has no migrations folder"),
        (("加一列",), "say in a few English words"),
    ],
)
def test_a_migration_for_nobody_is_refused(
    app: Flask, arguments: tuple[str, ...], sentence: str
) -> None:
    code, output = invoke(app, "migrate", "new", *arguments)
    assert code == 1
    assert sentence in output
