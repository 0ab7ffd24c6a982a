"""What the core brings by itself, which no plug-in owns: handlers, sweeps and commands."""

import copy
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import click
from flask.cli import with_appcontext

from payments.events.listeners import HandlersByFact, combine
from payments.exports.commands import export
from payments.ledger import flows as ledger
from payments.ledger.handlers import HANDLERS as LEDGER
from payments.refunds.handlers import HANDLERS as REFUNDS
from payments.webhooks.handlers import for_published_facts
from services.host.launching import running_database
from services.host.manifest import Sweep
from services.host.platform import Platform, current_platform

ROLL_UP_EVERY: Final = timedelta(seconds=5)
EXPIRE_EVERY: Final = timedelta(seconds=30)

CORE_COMMANDS: Final[Sequence[click.Group]] = (export,)
"""Groups of the payments domains; a command in them asks for the Database by its type."""


def core_handlers() -> HandlersByFact:
    """Return the core's handlers by fact; ask once all plug-ins are imported, with their facts."""
    return combine(LEDGER, REFUNDS, for_published_facts())


def core_sweeps() -> tuple[Sweep, ...]:
    """Return what the payments domains look for by themselves."""
    return (
        Sweep(name="ledger.roll-up", run=_roll_up, every=ROLL_UP_EVERY),
        Sweep(name="ledger.expire-reservations", run=_expire_reservations, every=EXPIRE_EVERY),
    )


def on_database(group: click.Group) -> click.Group:
    """Return a copy of a group whose commands are handed the platform's Database."""
    copied = copy.copy(group)

    @with_appcontext
    def prepare(**_options: Any) -> None:
        context = click.get_current_context()
        platform = current_platform()
        context.with_resource(running_database(platform.settings))
        context.obj = platform.database

    copied.callback = prepare
    return copied


def _roll_up(platform: Platform) -> int:
    return ledger.roll_up(platform.database)


def _expire_reservations(platform: Platform) -> int:
    return ledger.expire_reservations(platform.database, clock=platform.clock)
