"""The drawings of the state machines: one Mermaid file for each table in somebody's rules."""

from pathlib import Path
from typing import Final

import click

import payments
import services
from payments.kernel.states import drawings

FOLDER: Final = Path("docs/states")

folder_option = click.option("--folder", type=click.Path(path_type=Path), default=FOLDER)


@click.group("states")
def states_group() -> None:
    """Draw the state machines, or check that the drawings are fresh."""


@states_group.command("write")
@folder_option
def write_states(folder: Path) -> None:
    """Draw every state machine, and remove drawings of those that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = drawings(payments, services)
    for path in folder.glob("*.mmd"):
        if path.name not in drawn:
            path.unlink()
    for name, text in drawn.items():
        (folder / name).write_text(text, "utf-8")
    click.echo(f"drew {len(drawn)} state machines in {folder}")


@states_group.command("check")
@folder_option
def check_states(folder: Path) -> None:
    """Fail when a drawing is not what the code says."""
    drawn = drawings(payments, services)
    stored = {path.name: path.read_text("utf-8") for path in folder.glob("*.mmd")}
    stale = sorted(name for name in drawn | stored if drawn.get(name) != stored.get(name))
    if stale:
        raise click.ClickException(f"run flask states write: {', '.join(stale)} are out of date")
    click.echo(f"{folder} is up to date")
