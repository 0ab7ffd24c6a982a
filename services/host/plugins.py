"""Installed plug-ins, found by entry point and checked before anything is served.

A bad plug-in stops the boot: a sentence at deployment is cheaper than a surprise at noon.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from flask import Flask

from payments.ledger.templates import TemplateInvalid, check_all
from services.host.access import Access
from services.host.boot import BootError
from services.host.catalogue import GROUPS
from services.host.manifest import Plugin, Sweep, Task
from services.host.routes import Routes

ENTRY_POINTS: Final = "services.plugins"
# Schemas of the core and of PostgreSQL, and first words of the host's own addresses.
EXTENSION: Final = "qiantang.plugins"
RESERVED: Final = frozenset(
    {
        *("host", "kernel", "jobs", "events", "ledger", "providers", "orders", "refunds"),
        *("agreements", "notices", "webhooks", "reconciliation", "settlement", "exports"),
        *("public", "information_schema", "health", "metrics", "docs", "catalogue"),
    }
)
SCHEMES: Final = frozenset({"bearer", "signature"})

UNIQUE: Final[Mapping[str, Callable[[Plugin], Iterable[str | None]]]] = {
    "plug-ins are called": lambda plugin: [plugin.name],
    "blueprints are called": lambda plugin: [one.name for one in plugin.blueprints],
    "tasks are called": lambda plugin: [one.name for one in plugin.tasks],
    "sweeps are called": lambda plugin: [one.name for one in plugin.sweeps],
    "commands are called": lambda plugin: [one.name for one in plugin.commands],
    "authenticators read": lambda plugin: plugin.authenticators,
    "catalogue entries are called": lambda plugin: [one.name for one in plugin.catalogue],
}

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,30}", re.ASCII)
_DASHED: Final = re.compile(r"[a-z][a-z0-9.-]{1,62}", re.ASCII)


def discover() -> tuple[Plugin, ...]:
    """Load every installed plug-in, in the order of their names. Raises BootError."""
    return load(entry_points(group=ENTRY_POINTS))


def load(entries: Iterable[EntryPoint]) -> tuple[Plugin, ...]:
    """Load the plug-ins of these entry points. Raises BootError."""
    return tuple(_loaded(entry) for entry in sorted(entries, key=lambda entry: entry.name))


def _loaded(entry: EntryPoint) -> Plugin:
    try:
        plugin = entry.load()
    except Exception as error:
        raise BootError(
            f"Plug-in {entry.name} cannot be imported ({type(error).__name__}: {error});"
            f" correct {entry.value} or uninstall its distribution."
        ) from error
    if not isinstance(plugin, Plugin):
        raise BootError(
            f"Entry point {entry.name} names {entry.value}, which is no Plugin:"
            " let it name the manifest."
        )
    if plugin.name != entry.name:
        raise BootError(
            f"Plug-in {plugin.name} is installed under the entry point {entry.name}:"
            " give both the same name."
        )
    return plugin


def check(plugins: Sequence[Plugin]) -> None:
    """Hold every plug-in to what the manifest promises. Raises BootError."""
    for complaint in _complaints(plugins):
        raise BootError(complaint)
    for plugin in plugins:
        try:
            plugin.check()
        except Exception as error:
            raise BootError(f"Plug-in {plugin.name} refuses to start: {error}") from error


def check_routes(routes: Routes) -> None:
    """Refuse a route that does not say who may call it, or how it may be repeated."""
    addresses = Counter((route.method, _bare(route.address)) for route in routes.values())
    for route in routes.values():
        if addresses[route.method, _bare(route.address)] > 1:
            raise BootError(f"{route} is answered by two views: give one another address.")
        owner = f"plug-in {route.plugin}" if route.plugin else "the host"
        if not isinstance(route.access, Access):
            raise BootError(
                f"{route} of {owner} does not say who may call it:"
                " decorate the view with @requires(…) or @public(reason=…)."
            )
        if route.unsafe and not route.callback and route.repetition is None:
            raise BootError(
                f"{route} of {owner} changes something and does not say how it is repeated safely:"
                " decorate the view with @idempotent.transaction, @idempotent.flow or"
                " @idempotent.exempt(reason=…)."
            )


def _bare(address: str) -> str:
    """Return an address with the names of its variables taken out."""
    return re.sub(r"<[^>]*>", "<>", address)


def _complaints(plugins: Sequence[Plugin]) -> Iterator[str]:
    for plugin in plugins:
        yield from _wrong_names(plugin)
        yield from _wrong_blueprints(plugin)
        yield from _wrong_catalogue(plugin)
        yield from _wrong_parts(plugin)
    for what, names_of in UNIQUE.items():
        names = Counter(name for plugin in plugins for name in names_of(plugin))
        yield from (f"Two {what} {name}: change one." for name, count in names.items() if count > 1)
    yield from _wrong_templates(plugins)
    yield from _wrong_handlers(plugins)


def _wrong_names(plugin: Plugin) -> Iterator[str]:
    if not _NAME.fullmatch(plugin.name):
        yield (
            f"Plug-in {plugin.name!r} needs a name of 2 to 31 small letters, digits and"
            " underscores, because a PostgreSQL schema bears it."
        )
    if plugin.name in RESERVED:
        yield f"Plug-in {plugin.name} bears a name of the core: choose another."
    if not (plugin.title.zh and plugin.title.en):
        yield f"Plug-in {plugin.name} needs a title in both languages."
    if plugin.migrations is not None and not plugin.migrations.is_dir():
        yield f"Plug-in {plugin.name} names {plugin.migrations}, which is no folder: correct it."


def _wrong_blueprints(plugin: Plugin) -> Iterator[str]:
    for blueprint in plugin.blueprints:
        if blueprint.name != plugin.name and not blueprint.name.startswith(f"{plugin.name}_"):
            yield (
                f"Blueprint {blueprint.name} of plug-in {plugin.name} must be called"
                f" {plugin.name} or {plugin.name}_…, so that endpoints tell whose they are."
            )
        prefix = blueprint.url_prefix or ""
        if not _prefix_allowed(plugin.name, prefix):
            yield (
                f"Blueprint {blueprint.name} has the URL prefix {prefix!r}: give it"
                f" /v1/{plugin.name.replace('_', '-')} or something below it."
            )


def _prefix_allowed(name: str, prefix: str) -> bool:
    """Plug-ins live under their own name; only `callbacks` answers where providers call."""
    own = f"/v1/{name.replace('_', '-')}"
    if name == "callbacks":
        own = "/callbacks"
    return prefix == own or prefix.startswith(f"{own}/")


def _wrong_catalogue(plugin: Plugin) -> Iterator[str]:
    for entry in plugin.catalogue:
        if entry.group not in GROUPS:
            yield (
                f"Catalogue entry {entry.name} of plug-in {plugin.name} names the group"
                f" {entry.group!r}: choose one of {', '.join(GROUPS)}."
            )
        if not all((entry.title.zh, entry.title.en, entry.summary.zh, entry.summary.en)):
            yield f"Catalogue entry {entry.name} needs title and summary in both languages."
        if not entry.path.startswith("/v1/"):
            yield f"Catalogue entry {entry.name} must lead to a path below /v1/."


def _wrong_parts(plugin: Plugin) -> Iterator[str]:
    parts: tuple[Task | Sweep, ...] = (*plugin.tasks, *plugin.sweeps)
    for part in parts:
        if not _DASHED.fullmatch(part.name):
            yield (
                f"{type(part).__name__} {part.name!r} of plug-in {plugin.name} needs a name of"
                " small letters, digits, dots and dashes."
            )
    for sweep in plugin.sweeps:
        if sweep.every.total_seconds() <= 0:
            yield f"Sweep {sweep.name} needs a positive `every`."
    for scheme in plugin.authenticators:
        if scheme not in SCHEMES:
            yield (
                f"Plug-in {plugin.name} authenticates {scheme!r}: the host knows"
                f" {' and '.join(sorted(SCHEMES))}."
            )


def _wrong_templates(plugins: Sequence[Plugin]) -> Iterator[str]:
    try:
        check_all(template for plugin in plugins for template in plugin.templates)
    except TemplateInvalid as error:
        yield f"Correct a plug-in's template: {error.detail}."


def _wrong_handlers(plugins: Sequence[Plugin]) -> Iterator[str]:
    names = Counter(
        (handler.fact.name, plugin.name, handler.lasting_name)
        for plugin in plugins
        for handler in plugin.handlers
    )
    for (fact, plugin, name), count in names.items():
        if count > 1 or not name or name == "<lambda>":
            yield (
                f"A handler of {fact} in plug-in {plugin} is called {name!r}:"
                " give each its own lasting name."
            )


def owner_of(plugins: Sequence[Plugin]) -> Callable[[str], str | None]:
    """Return a function from an endpoint to the name of its plug-in, None for the host's own."""
    owners = {blueprint.name: plugin.name for plugin in plugins for blueprint in plugin.blueprints}
    return lambda endpoint: owners.get(endpoint.rpartition(".")[0])


def installed_plugins(app: Flask) -> tuple[Plugin, ...]:
    """Return the plug-ins an application was made with."""
    found: tuple[Plugin, ...] = app.extensions[EXTENSION]
    return found
