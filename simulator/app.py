"""The simulator's Flask app: one world in memory, everything outside our walls under one port."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from simulator.clock import SimulatorClock
from simulator.courier import Courier
from simulator.keys import alipay_apps
from simulator.providers.alipay import control, gateway
from simulator.providers.alipay.world import Alipay

LARGEST_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class World:
    """The parts that live as long as the simulator does."""

    clock: SimulatorClock
    courier: Courier
    alipay: Alipay

    @classmethod
    def from_keys(
        cls, directory: Path, *, clock: SimulatorClock, courier: Courier | None = None
    ) -> Self:
        """Build a world around the key set in `directory`."""
        courier = courier or Courier(clock)
        alipay = Alipay(apps=alipay_apps(directory), clock=clock, courier=courier)
        return cls(clock=clock, courier=courier, alipay=alipay)


def create_app(world: World, *, window: timedelta = gateway.DEFAULT_WINDOW) -> Flask:
    """Return the app; the caller starts the courier if notices are to leave by themselves."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it.
    app.register_blueprint(gateway.blueprint(world.alipay, window=window))
    app.register_blueprint(control.blueprint(world.alipay))
    app.register_error_handler(HTTPException, explain)
    app.add_url_rule("/control/clock", view_func=lambda: jsonify(now=world.clock.now().isoformat()))
    return app


def explain(error: HTTPException) -> tuple[Response, int]:
    """Answer errors of the control API in JSON."""
    return jsonify({"error": error.description}), error.code or 500
