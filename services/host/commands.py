"""The host's commands, and what makes every command fail with one line instead of a stack trace."""

import copy
import re
import tomllib
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click
import psycopg
from alembic import command as alembic
from alembic.util.exc import CommandError
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from payments.kernel import migrating
from payments.kernel.errors import QiantangError
from services.host import openapi, worker
from services.host.boot import BootError
from services.host.launching import running_database
from services.host.platform import current_platform
from services.host.plugins import installed_plugins
from services.host.states import states_group

OPENAPI_FILE: Final = Path("openapi/v1.json")
CORE: Final = "core"
NOT_MIGRATED: Final = "the database's tables are missing or old: run flask migrate up"

_NUMBERED: Final = re.compile(r"(\d{4})_\w+\.py")


def guarded(command: click.Command) -> click.Command:
    """Return a copy of a command whose failures are one line on standard error and exit code 1."""
    copied = copy.copy(command)
    if isinstance(copied, click.Group):
        copied.commands = {name: guarded(one) for name, one in copied.commands.items()}
    if copied.callback is not None:
        copied.callback = _one_line(copied.callback)
    return copied


def _one_line(callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except QiantangError as error:
            raise click.ClickException(f"{error.en}: {error.detail}".rstrip(": ")) from None
        except tomllib.TOMLDecodeError as error:
            raise click.ClickException(f"the file is not TOML: {error}") from None
        except UnicodeDecodeError as error:
            raise click.ClickException(f"the file is not text in UTF-8: {error.reason}") from None
        except (BootError, CommandError, OSError) as error:
            raise click.ClickException(str(error).strip() or type(error).__name__) from None
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            if isinstance(cause, psycopg.errors.UndefinedTable):
                raise click.ClickException(NOT_MIGRATED) from None
            raise click.ClickException(f"database: {str(cause).splitlines()[0]}") from None

    return run


@click.command("plugins")
@with_appcontext
def plugins_command() -> None:
    """List the installed plug-ins and what each brings."""
    for plugin in installed_plugins(current_app):
        parts = (
            (len(plugin.blueprints), "blueprints"),
            (len(plugin.handlers), "handlers"),
            (len(plugin.templates), "posting templates"),
            (len(plugin.tasks), "tasks"),
            (len(plugin.sweeps), "sweeps"),
            (len(plugin.commands), "commands"),
            (len(plugin.catalogue), "catalogue entries"),
        )
        brings = ", ".join(f"{count} {what}" for count, what in parts if count)
        click.echo(f"{plugin.name}  {plugin.title.zh} {plugin.title.en}  {brings}".rstrip())


@click.group("openapi")
def openapi_group() -> None:
    """Write the OpenAPI document, or check that the written one is fresh."""


@openapi_group.command("write")
@click.option("--file", "path", type=click.Path(path_type=Path), default=OPENAPI_FILE)
@with_appcontext
def write_openapi(path: Path) -> None:
    """Write the OpenAPI document of everything installed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(openapi.written(current_app), "utf-8")
    click.echo(f"wrote {path}")


@openapi_group.command("check")
@click.option("--file", "path", type=click.Path(path_type=Path), default=OPENAPI_FILE)
@with_appcontext
def check_openapi(path: Path) -> None:
    """Fail when the written document is not what the code says."""
    stored = path.read_text("utf-8") if path.exists() else ""
    if stored != openapi.written(current_app):
        raise click.ClickException(f"{path} is out of date: run flask openapi write")
    click.echo(f"{path} is up to date")


@click.group("migrate")
def migrate_group() -> None:
    """Change the database's tables, as its owner."""


@migrate_group.command("up")
@click.option("--revision", default="heads", show_default=True, help="How far to go.")
@with_appcontext
def migrate_up(revision: str) -> None:
    """Bring the database up to date; starts the embedded one when there is no other."""
    with running_database(current_platform().settings) as urls:
        migrating.upgrade(urls.owner, folders=_folders(), revision=revision)
    click.echo("the database is up to date")


@migrate_group.command("down")
@click.option("--revision", required=True, help="How far to go back; base undoes everything.")
@click.confirmation_option(prompt="This drops tables and what is in them. Go on?")
@with_appcontext
def migrate_down(revision: str) -> None:
    """Take the database back to a revision."""
    with running_database(current_platform().settings) as urls:
        migrating.downgrade(urls.owner, folders=_folders(), revision=revision)
    click.echo(f"the database is back at {revision}")


@migrate_group.command("new")
@click.argument("subject")
@click.option("--plugin", "name", default=CORE, show_default=True, help="Whose migration it is.")
@with_appcontext
def new_migration(subject: str, name: str) -> None:
    """Start a migration about SUBJECT, numbered after the last one of its folder."""
    folders = {plugin.name: plugin.migrations for plugin in installed_plugins(current_app)}
    folder = migrating.MIGRATIONS / "versions" if name == CORE else folders.get(name)
    if folder is None:
        known = ", ".join(sorted([CORE, *(name for name, path in folders.items() if path)]))
        raise click.ClickException(f"{name} has no migrations folder; there are: {known}")
    words = "_".join(re.findall(r"[a-z0-9]+", subject.lower()))
    if not words:
        raise click.ClickException("say in a few English words what the migration does")
    number = 1 + _last_number(folder)
    prefix = "" if name == CORE else f"{name}_"
    script = alembic.revision(
        migrating.configuration("postgresql://", folders=_folders()),
        message=subject[0].upper() + subject[1:].rstrip(".!"),
        rev_id=f"{prefix}{number:04d}",
        version_path=str(folder),
        **_place(name, prefix, number),
    )
    assert script is not None
    assert not isinstance(script, list)
    path = Path(script.path).rename(folder / f"{number:04d}_{words}.py")
    click.echo(f"wrote {path}; write upgrade() and downgrade() by hand")


def _place(name: str, prefix: str, number: int) -> dict[str, Any]:
    """Say what the migration follows; a plug-in's first begins a branch upon the core's last."""
    if number > 1 or name == CORE:
        return {"head": f"{prefix}{number - 1:04d}"}
    last = _last_number(migrating.MIGRATIONS / "versions")
    return {"head": "base", "branch_label": name, "depends_on": f"{last:04d}"}


def _last_number(folder: Path) -> int:
    matches = (_NUMBERED.fullmatch(path.name) for path in folder.glob("*.py"))
    return max((int(match[1]) for match in matches if match), default=0)


def _folders() -> list[Path]:
    return [plugin.migrations for plugin in installed_plugins(current_app) if plugin.migrations]


@click.command("worker")
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    help="A file that exists while the worker runs.",
)
@with_appcontext
def worker_command(ready_file: Path | None) -> None:
    """Run deferred jobs and sweeps until told to stop; any number may run side by side."""
    worker.run(current_platform(), installed_plugins(current_app), ready_file=ready_file)


HOST_COMMANDS: Final = (
    plugins_command,
    openapi_group,
    states_group,
    migrate_group,
    worker_command,
)
