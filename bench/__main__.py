"""`python -m bench NAME [--json]`: run one bench and print its figures."""

import importlib
import json
import pkgutil
import sys

import click
from rich.console import Console
from rich.table import Table

import bench
from bench.report import Report

NOT_BENCHES = {"__main__", "report"}


def names() -> list[str]:
    """Return the benches there are."""
    return [
        found.name
        for found in pkgutil.iter_modules(bench.__path__)
        if found.name not in NOT_BENCHES
    ]


@click.command()
@click.argument("name", type=click.Choice(names()))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def main(name: str, *, as_json: bool) -> None:
    """Run the bench NAME, progress on standard error, and exit 1 when an aim is not met."""
    progress = Console(stderr=True)
    module = importlib.import_module(f"bench.{name}")
    report: Report = module.run(progress.log)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        show(report)
    sys.exit(0 if all(aim.met for aim in report.aims) else 1)


def show(report: Report) -> None:
    """Print a report for people."""
    table = Table("figure", "value", title=report.name)
    for figure, value in report.figures.items():
        table.add_row(figure, f"{value:,.2f}")
    console = Console()
    console.print(table)
    for aim in report.aims:
        mark = "[green]met[/]" if aim.met else "[red]not met[/]"
        console.print(f"{aim.what}: {aim.measured:,.2f} (aim: {aim.aim}) {mark}")


if __name__ == "__main__":
    main()
