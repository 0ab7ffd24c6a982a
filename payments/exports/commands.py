"""`flask export`: files for finance. The host mounts the group and hands it the database."""

from datetime import datetime
from pathlib import Path

import click

from payments.exports import flows
from payments.kernel.database import Database
from payments.kernel.ids import BookId

pass_database = click.make_pass_decorator(Database)


@click.group("export")
def export() -> None:
    """Write files for finance clerks."""


@export.command("day")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--book", help="One book; every book when not given.")
@pass_database
def export_day(database: Database, *, day: datetime, out: Path, book: str | None) -> None:
    """Write day book, trial balance, JSON Lines, Beancount and the manifest of a business date."""
    manifest = flows.export_day(
        database,
        business_date=day.date(),
        directory=out,
        book_id=BookId(book) if book else None,
    )
    for file in manifest.files:
        click.echo(f"{file.name}  {file.rows} rows  sha256 {file.sha256}")
    click.echo(f"manifest: {manifest.path}")
