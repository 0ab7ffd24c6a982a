"""A worker's application for tests: it hears umbrellas being lent, sweeps puddles, runs jobs."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from services.host.application import create_app
from services.host.manifest import Handler, Plugin, Sweep, Task, Title
from services.host.platform import Platform
from tests.host.umbrellas import UmbrellaLent

HOUR = timedelta(hours=1)


def hear(session: Session, fact: UmbrellaLent, *, now: datetime) -> None:
    """Hear that an umbrella was lent."""
    assert session.in_transaction()
    assert fact.lent_at <= now


def flood(_platform: Platform) -> int:
    """Fail every time."""
    raise ZeroDivisionError


def dry(_platform: Platform, *, puddle: str) -> None:
    """Run a job."""
    assert puddle


PLUGIN = Plugin(
    name="rain",
    title=Title(zh="雨", en="Rain"),
    handlers=(Handler(fact=UmbrellaLent, run=hear),),
    tasks=(Task(name="rain.dry", run=dry),),
    sweeps=(
        Sweep(name="rain.flood", run=flood, every=HOUR),
        Sweep(name="rain.drip", run=lambda _: 0, every=HOUR, channel="rain"),
    ),
)


def make_app() -> Any:
    """Return the application, with settings from the environment."""
    return create_app(installed=(PLUGIN,))
