"""Runs the simulator on loopback, in this process, until told to stop."""

import threading
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from werkzeug.serving import WSGIRequestHandler, make_server

from simulator.app import World, create_app
from simulator.clock import SimulatorClock
from simulator.courier import Courier
from simulator.keys import point_alipay
from simulator.providers.alipay.gateway import DEFAULT_WINDOW


class QuietHandler(WSGIRequestHandler):
    """Answers without a line on the terminal for each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class Simulator:
    """The simulator as a server; `with Simulator(keys=…) as simulator:` runs it meanwhile.

    Port 0 picks a free one. Keys are made on first use; accounts point at this address.
    """

    def __init__(
        self,
        *,
        keys: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: SimulatorClock | None = None,
        courier: Courier | None = None,
        window: timedelta = DEFAULT_WINDOW,
        send_notices: bool = True,
    ) -> None:
        point_alipay(keys, gateway="")
        self.keys = keys
        clock = clock or SimulatorClock()
        self.world = World.from_keys(keys, clock=clock, courier=courier)
        self.app = create_app(self.world, window=window)
        self._server = make_server(
            host, port, self.app, threaded=True, request_handler=QuietHandler
        )
        self.url = f"http://{host}:{self._server.server_port}"
        point_alipay(keys, gateway=f"{self.url}/alipay/gateway.do")
        self._send_notices = send_notices
        self._thread = threading.Thread(target=self._server.serve_forever, name="simulator")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Answer requests, and send notices by itself unless told not to."""
        self._thread.start()
        if self._send_notices:
            self.world.courier.start()

    def stop(self) -> None:
        """Stop and free the port."""
        self.world.courier.stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
