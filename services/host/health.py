"""Whether this process should be sent requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import psycopg
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from payments.kernel import migrating
from payments.kernel.errors import QiantangError
from services.host.platform import Platform

EXTENSION: Final = "qiantang.migrations"
READY: Final = 200
NOT_READY: Final = 503
CORE: Final = "core"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found, check by check; every check says "ok" or what is the matter."""

    checks: Mapping[str, str]

    @property
    def status(self) -> str:
        """One word for all checks together."""
        return "ready" if set(self.checks.values()) == {"ok"} else "not-ready"

    @property
    def http_status(self) -> int:
        """The status a load balancer acts on."""
        return READY if self.status == "ready" else NOT_READY


def report(platform: Platform, *, migrations: Sequence[Path]) -> Report:
    """Look whether the database answers and whether it has every migration this code needs."""
    try:
        with platform.database.read() as session:
            applied = set(
                session.execute(text("SELECT version_num FROM public.alembic_version")).scalars()
            )
    except DBAPIError as error:
        missing = isinstance(error.orig, psycopg.errors.UndefinedTable)
        if missing:
            return Report(checks={"database": "ok", "migrations": "none"})
        return Report(checks={"database": "unreachable"})
    except (SQLAlchemyError, QiantangError):
        return Report(checks={"database": "unreachable"})
    migrated = "ok" if _is_current(applied, migrations) else "behind"
    return Report(checks={"database": "ok", "migrations": migrated})


def _is_current(applied: set[str], migrations: Sequence[Path]) -> bool:
    """Tell whether every migration this code knows is in, on its own or as another's dependency.

    During a deployment the database may be ahead: a revision this code does not know is a newer one
    of its branch, and brought with it whatever of the core it depends on.
    """
    script = _script(tuple(migrations))
    known = {revision.revision: revision for revision in script.walk_revisions()}
    ahead = {_branch(revision) for revision in applied - set(known)}
    covered: set[str] = set()
    pending = list(applied & set(known))
    while pending:
        revision = pending.pop()
        if revision not in covered:
            covered.add(revision)
            for before in (known[revision].down_revision, known[revision].dependencies):
                pending += [before] if isinstance(before, str) else before or ()
    missing = {_branch(head) for head in set(script.get_heads()) - covered}
    return missing <= (ahead | {CORE} if ahead else set())


def _branch(revision: str) -> str:
    """Return the plug-in a revision such as `transit_0003` belongs to, or CORE for `0003`."""
    return revision.rpartition("_")[0] or CORE


@cache
def _script(folders: tuple[Path, ...]) -> ScriptDirectory:
    return ScriptDirectory.from_config(migrating.configuration("postgresql://", folders=folders))
