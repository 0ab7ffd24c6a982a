"""The plug-in manifest: the one thing a service declares, and the only thing the host reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import click
from flask import Request
from flask_smorest import Blueprint

from payments.events.facts import Fact
from payments.events.listeners import FactHandler
from payments.ledger.templates import PostingTemplate
from services.host.access import Principal
from services.host.platform import Platform

Authenticator = Callable[[Request, Platform], Principal | None]


@dataclass(frozen=True, kw_only=True)
class Title:
    """A text in the two languages every text has."""

    zh: str
    en: str


@dataclass(frozen=True, kw_only=True)
class Handler:
    """Hears one kind of fact: `run(session, fact, *, now)`, an operation the worker calls.

    It may run twice for one fact, so its effect is keyed by the fact or by what the fact is about.
    Its progress is remembered under `<plug-in>.<name>`, the function's own name when none is given,
    so a function that is renamed keeps its old name here.
    """

    fact: type[Fact]
    run: FactHandler
    name: str = ""

    @property
    def lasting_name(self) -> str:
        """The name its progress is remembered under, within its plug-in."""
        return self.name or str(getattr(self.run, "__name__", ""))


@dataclass(frozen=True, kw_only=True)
class Task:
    """A job the plug-in can defer by `name`: a flow `run(platform, **arguments)`."""

    name: str
    run: Callable[..., None]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Work found by looking: a flow that handles up to one batch and returns how many it handled.

    The worker calls it again at once while the batch was not empty, else after `every`, or as soon
    as PostgreSQL notifies `channel`.
    """

    name: str
    run: Callable[[Platform], int]
    every: timedelta
    channel: str | None = None


@dataclass(frozen=True, kw_only=True)
class CatalogueEntry:
    """One service the city offers, as a front end lists it; `group` is a key of GROUPS."""

    name: str
    group: str
    title: Title
    summary: Title
    path: str


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """Everything the host needs to know of a plug-in; checked at boot.

    `name` is also the name of the PostgreSQL schema and of the blueprints' prefix. `authenticators`
    map an HTTP scheme word ("bearer", "signature") to the function that answers who is asking.
    `check` runs once at boot; it raises with a sentence when shipped data is wrong.
    """

    name: str
    title: Title
    blueprints: tuple[Blueprint, ...] = ()
    handlers: tuple[Handler, ...] = ()
    templates: tuple[PostingTemplate, ...] = ()
    tasks: tuple[Task, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    commands: tuple[click.Command, ...] = ()
    migrations: Path | None = None
    catalogue: tuple[CatalogueEntry, ...] = ()
    authenticators: Mapping[str, Authenticator] = field(default_factory=dict)
    check: Callable[[], None] = lambda: None
