"""The application factory: one list of verbs, in the order in which things depend on each other."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from payments.kernel.errors import QiantangError
from services.host import health, openapi, plugins, views
from services.host.admission import guard
from services.host.boot import BootError
from services.host.catalogue import compile_catalogue
from services.host.commands import HOST_COMMANDS, guarded
from services.host.core import CORE_COMMANDS, on_database
from services.host.docs import docs_blueprint
from services.host.errors import answer_errors
from services.host.logs import write_logs
from services.host.manifest import Plugin
from services.host.platform import EXTENSION, Platform
from services.host.request_log import RequestLog
from services.host.routes import EXTENSION as ROUTES
from services.host.routes import read_routes
from services.host.settings import Settings, load_settings


def create_app(
    settings: Settings | None = None,
    *,
    installed: Sequence[Plugin] | None = None,
    **parts: Any,
) -> Flask:
    """Make the application; nothing is connected to until a request or a command needs it.

    `settings` are read from the environment and `installed` plug-ins found by entry point when not
    given; `parts` replace parts of the platform (database, clock, providers, …). Raises BootError.
    """
    settings = settings or load_settings()
    found = tuple(plugins.discover() if installed is None else installed)
    plugins.check(found)
    write_logs(settings.log_level)
    app = make_flask()
    app.extensions[EXTENSION] = make_platform(settings, parts)
    app.extensions[plugins.EXTENSION] = found
    answer_errors(app)
    mount(app, found)
    guard(app, found)
    add_commands(app, found)
    wrap(app, settings)
    return app


def make_platform(settings: Settings, parts: Mapping[str, Any]) -> Platform:
    """Make the platform; in production everything but the database is loaded now, or never."""
    platform = Platform(settings=settings, **parts)
    if settings.production:
        try:
            platform.load_keys()
        except QiantangError as error:
            raise BootError(error.detail or error.en) from error
    return platform


def make_flask() -> Flask:
    """Make a Flask application without what an API does not use."""
    app = Flask("qiantang", static_folder=None, template_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # likewise
    return app


def mount(app: Flask, found: tuple[Plugin, ...]) -> None:
    """Register every address, and read what each route declares."""
    api = openapi.describe(app)
    api.register_blueprint(views.catalogue_blueprint)
    app.register_blueprint(views.operations_blueprint)
    if app.extensions[EXTENSION].settings.docs_served:
        app.register_blueprint(docs_blueprint)
    for plugin in found:
        for blueprint in plugin.blueprints:
            api.register_blueprint(blueprint)
    app.extensions[views.CATALOGUE] = compile_catalogue(found)
    app.extensions[health.EXTENSION] = tuple(
        plugin.migrations for plugin in found if plugin.migrations is not None
    )
    app.extensions[ROUTES] = read_routes(app, plugin_of=plugins.owner_of(found))
    plugins.check_routes(app.extensions[ROUTES])


def add_commands(app: Flask, found: tuple[Plugin, ...]) -> None:
    """Offer the host's commands, the core's and the plug-ins'; each fails with one line."""
    core = (on_database(group) for group in CORE_COMMANDS)
    for command in (*HOST_COMMANDS, *core, *(one for plugin in found for one in plugin.commands)):
        app.cli.add_command(guarded(command))


def wrap(app: Flask, settings: Settings) -> None:
    """Put the request log around everything, and believe our own proxies about who is calling.

    Scheme and host are never taken from headers: addresses are built from `public_url`.
    """
    app.wsgi_app = RequestLog(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # likewise
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0, x_host=0
        )
