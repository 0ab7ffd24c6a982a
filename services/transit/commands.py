"""`flask transit …`: prove what was charged."""

import click
from flask.cli import with_appcontext

from services.host.platform import current_platform
from services.transit import queries
from services.transit.reference.versions import reference


@click.group("transit")
def transit() -> None:
    """Public transport."""


@transit.command("recompute")
@with_appcontext
def recompute() -> None:
    """Recompute every fare from what its ticket stores; exit 1 when one differs."""
    checked, differing = 0, 0
    with current_platform().database.read() as session:
        for ticket in queries.every_ticket(session):
            checked += 1
            fare = reference().recompute(ticket.explanation)
            if fare.amount_minor * ticket.count != ticket.amount_minor:
                differing += 1
                click.echo(f"{ticket.id}: charged {ticket.amount_minor}, not what its steps say")
    click.echo(f"{checked} tickets recomputed, {differing} differ")
    if differing:
        raise SystemExit(1)
