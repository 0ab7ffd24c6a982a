"""The metro company's server: receives callbacks, verifies them, keeps a tally.

Verification follows Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`, written from the
specification and not with the library the platform signs with. Now and then the server is down for
one delivery, so that the platform has to come again.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from simulator.clock import SimulatorClock

TOLERANCE: Final = timedelta(minutes=5)
LARGEST_BODY_BYTES: Final = 256 * 1024
SECRET_PREFIX: Final = "whsec_"  # noqa: S105  the prefix says what follows, it is no secret


class NotAuthentic(Exception):
    """The callback was not signed by the platform."""


class TooOld(NotAuthentic):
    """The callback was signed by the platform, but not just now."""


@dataclass(kw_only=True)
class Tally:
    """What arrived. `events` counts each event once, however often it came."""

    deliveries: int = 0
    refused: int = 0
    too_old: int = 0
    turned_away: int = 0
    repeated: int = 0
    events: Counter[str] = field(default_factory=Counter)
    amounts_minor: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)


def verify(headers: Mapping[str, str], body: bytes, *, secret: str, clock: SimulatorClock) -> str:
    """Return the id of an authentic callback. Raises NotAuthentic, TooOld."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id or not timestamp.isdecimal():
        raise NotAuthentic("webhook-id or webhook-timestamp is missing")
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{message_id}.{timestamp}.".encode() + body
    wanted = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode("ascii")
    given = [one.partition(",") for one in headers.get("webhook-signature", "").split(" ")]
    if not any(
        version == "v1" and hmac.compare_digest(signature, wanted)
        for version, _, signature in given
    ):
        raise NotAuthentic("no signature of ours")
    age = clock.now().timestamp() - int(timestamp)
    if abs(age) > TOLERANCE.total_seconds():
        raise TooOld(f"signed {age:.0f} seconds ago")
    return message_id


class MerchantServer:
    """The server; `with MerchantServer(…) as merchant:` runs it meanwhile on a free port.

    Of every `down_every` deliveries it turns one away, none when that is 0; `heard` is called with
    each event the first time it comes.
    """

    def __init__(
        self,
        *,
        clock: SimulatorClock,
        down_every: int = 25,
        port: int = 0,
        heard: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> None:
        self.tally = Tally()
        self.secret = ""
        self._clock = clock
        self._down_every = down_every
        self._heard = heard
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/callbacks"
        self._thread = threading.Thread(target=self._server.serve_forever, name="merchant")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a delivery in and return the status to answer."""
        with self._lock:
            self.tally.deliveries += 1
            try:
                message_id = verify(headers, body, secret=self.secret, clock=self._clock)
                event: Any = json.loads(body)
            except TooOld:
                self.tally.too_old += 1
                return 400
            except (NotAuthentic, ValueError):
                self.tally.refused += 1
                return 400
            if self._down_every and self.tally.deliveries % self._down_every == 0:
                self.tally.turned_away += 1
                return 503
            if message_id in self.tally.seen:
                self.tally.repeated += 1
                return 204
            self.tally.seen.add(message_id)
            self.tally.events[event["type"]] += 1
            self.tally.amounts_minor[event["type"]] += event["data"].get("amount_minor", 0)
            self._heard(event)
            return 204

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receive = self.receive

        class Handler(BaseHTTPRequestHandler):
            """Hands each delivery over."""

            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = min(int(self.headers.get("Content-Length", "0")), LARGEST_BODY_BYTES)
                body = self.rfile.read(length)
                given = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(receive(given, body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's
                del format, args

        return Handler
