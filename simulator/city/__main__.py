"""`python -m simulator.city demo` plays a day; `run` keeps the platform up until Ctrl-C."""

import sys
from pathlib import Path

import click

from simulator.city.demo import Demonstration
from simulator.city.processes import ProcessFailed
from simulator.city.screen import Screen


@click.group()
def city() -> None:
    """A city full of people."""


@city.command()
@click.option("--scale", default=2_000, show_default=True, help="One of how many people rides.")
@click.option("--seed", default=1, show_default=True, help="Another seed is another day.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".data/demo"),
    show_default=True,
    help="Database, keys, logs and exports; emptied first.",
)
def demo(*, scale: int, seed: int, directory: Path) -> None:
    """Play one day of the metro; exit 0 only if every fen is explained."""
    show = Demonstration(directory=directory.resolve(), scale=scale, seed=seed, screen=Screen())
    try:
        fine = show.run()
    except ProcessFailed as failure:
        sys.exit(f"{failure}")
    sys.exit(not fine)


if __name__ == "__main__":
    city()
