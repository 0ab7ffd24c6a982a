"""`python -m simulator.city`: `demo` plays a day, `run` keeps the platform up until Ctrl-C."""

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from simulator.city.citizens import OutOfPatience
from simulator.city.client import Client, Refused
from simulator.city.demo import Demonstration
from simulator.city.onboarding import known_company
from simulator.city.processes import ProcessFailed
from simulator.city.run import Show
from simulator.city.screen import Screen
from simulator.city.stage import LOOPBACK, Ports
from simulator.clock import SimulatorClock

INTERRUPTED: Final = 130
WEB_PORT: Final = 8000
SIMULATOR_PORT: Final = 8090
MERCHANT_PORT: Final = 8091

Folder = click.Path(file_okay=False, path_type=Path)


@click.group()
def city() -> None:
    """A city full of people."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@city.command()
@click.option("--scale", default=4_000, show_default=True, help="One of how many people rides.")
@click.option("--seed", default=1, show_default=True, help="Another seed is another day.")
@click.option(
    "--directory",
    type=Folder,
    default=Path(".data/demo"),
    show_default=True,
    help="Database, keys, logs and exports; emptied first.",
)
def demo(*, scale: int, seed: int, directory: Path) -> None:
    """Play one day of the metro; exit 0 only if every fen is explained."""
    show = Demonstration(directory=directory.resolve(), scale=scale, seed=seed, screen=Screen())
    sys.exit(not carried_out(show.run, logs=directory / "logs"))


@city.command()
@click.option("--port", default=WEB_PORT, show_default=True, help="Where the API listens.")
@click.option("--simulator-port", default=SIMULATOR_PORT, show_default=True)
@click.option("--merchant-port", default=MERCHANT_PORT, show_default=True)
@click.option("--directory", type=Folder, default=Path(".data"), show_default=True)
def run(*, port: int, simulator_port: int, merchant_port: int, directory: Path) -> None:
    """Keep web, worker and simulator up until Ctrl-C."""
    ports = Ports(web=port, simulator=simulator_port, merchant=merchant_port)
    show = Show(directory=directory.resolve(), ports=ports, screen=Screen())
    carried_out(show.run, logs=directory / "logs")


@city.command()
@click.argument("pick_up_code")
@click.option("--port", default=WEB_PORT, show_default=True, help="Where the API listens.")
@click.option("--directory", type=Folder, default=Path(".data"), show_default=True)
def collect(*, pick_up_code: str, port: int, directory: Path) -> None:
    """Collect a ticket at a kiosk of a running platform."""
    company = known_company(
        directory / "metro",
        platform=Client(f"http://{LOOPBACK}:{port}"),
        clock=SimulatorClock(),
    )
    kiosk = company.kiosks[0]
    try:
        collected = kiosk.post("/v1/transit/devices/collections", {"pick_up_code": pick_up_code})
    except (Refused, OSError) as failure:
        sys.exit(f"{failure}")
    click.echo(json.dumps(collected, ensure_ascii=False, indent=2))


def carried_out(act: Callable[[], bool | None], *, logs: Path) -> bool | None:
    """Act; end with one sentence instead of a stack trace when something fails."""
    try:
        return act()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except (ProcessFailed, OutOfPatience, Refused, OSError) as failure:
        sys.exit(f"{type(failure).__name__}: {failure}\nThe logs are in {logs}.")


if __name__ == "__main__":
    city()
