"""Notices by hand: which are parked, and applying one again."""

import json

import click
from flask.cli import with_appcontext

from payments.notices import flows, queries
from services.host.platform import current_platform

PARKED_SHOWN = 100


@click.group()
def notices() -> None:
    """Look at providers' notices that wait for a person, and replay them."""


@notices.command()
@click.option("--limit", default=PARKED_SHOWN, show_default=True, help="How many at most.")
@with_appcontext
def parked(limit: int) -> None:
    """List parked notices, oldest first, one JSON object a line."""
    with current_platform().database.read() as session:
        for notice in queries.parked(session, limit=limit):
            line = {
                "id": notice.id,
                "account_id": notice.account_id,
                "received_at": notice.received_at.isoformat(),
                "reason": notice.reason,
            }
            click.echo(json.dumps(line, ensure_ascii=False))


@notices.command()
@click.argument("notice_id")
@with_appcontext
def replay(notice_id: str) -> None:
    """Verify notice NOTICE_ID anew and apply it; print what became of it."""
    platform = current_platform()
    notice = flows.replay(
        platform.database, inbox_id=notice_id, providers=platform.providers, clock=platform.clock
    )
    click.echo(f"{notice.id} {notice.state} {notice.reason}".rstrip())
