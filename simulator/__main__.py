"""`python -m simulator --port 8090 --keys DIR`: everything outside our walls, until Ctrl-C."""

import signal
import threading
from datetime import timedelta
from pathlib import Path

import click

from simulator.clock import SimulatorClock
from simulator.runner import Simulator


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8090, show_default=True, help="Port to listen on; 0 picks one.")
@click.option(
    "--keys",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Directory of the development keys; made on first use.",
)
@click.option(
    "--offset-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the seconds to add to the machine's clock; shared with the platform.",
)
@click.option(
    "--scale",
    default=1,
    show_default=True,
    help="Divide the gaps between two sends of a notice by this.",
)
@click.option(
    "--timestamp-window",
    default=24 * 60,
    show_default=True,
    help="Minutes a request's timestamp may be away from now.",
)
def run(
    *,
    host: str,
    port: int,
    keys: Path,
    offset_file: Path | None,
    scale: int,
    timestamp_window: int,
) -> None:
    """Play the providers' side of the wire."""
    simulator = Simulator(
        keys=keys,
        host=host,
        port=port,
        clock=SimulatorClock(offset_file, scale=scale),
        window=timedelta(minutes=timestamp_window),
    )
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with simulator:
        click.echo(f"simulator at {simulator.url} with keys in {keys}")
        stopped.wait()


if __name__ == "__main__":
    run()
