"""Workers that are killed while they send: nothing is lost, and ids stay what they were."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from payments.webhooks.operations.claiming import LEASE
from tests.webhooks.conftest import Office, Receiver

WORKER = """
import sys
from pathlib import Path
from payments.kernel.clock import OffsetClock
from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from payments.kernel.http import GuardedHttpClient
from payments.webhooks import flows

url, peer, offset = sys.argv[1:]
parts = {
    "database": Database(url),
    "http": GuardedHttpClient(allowed=frozenset({peer})),
    "vault": Vault({"1": bytes(range(32))}, "1", bytes(range(1, 33))),
    "clock": OffsetClock(Path(offset)),
}
while True:
    flows.deliver(**parts)
"""


class Worker:
    """A worker process with a clock of its own, begun again each time it was killed."""

    def __init__(self, office: Office, server: HTTPServer, offset: Path) -> None:
        self._command = [
            *(sys.executable, "-c", WORKER, office.database.url),
            *(f"localhost:{server.port}", str(offset)),
        ]
        self._offset = offset
        self._moved = timedelta()
        self.move_clock(timedelta())
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)

    def move_clock(self, step: timedelta) -> None:
        self._moved += step
        fresh = self._offset.with_suffix(".fresh")
        fresh.write_text(str(int(self._moved.total_seconds())))
        fresh.replace(self._offset)

    def begin_again_if_dead(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            assert self.process.wait(0.2) == -signal.SIGKILL
            self.move_clock(LEASE)
            self.start()


def test_killed_after_sending_it_sends_again_under_the_same_id(
    office: Office, httpserver: HTTPServer, tmp_path: Path
) -> None:
    receiver = Receiver(httpserver, "/hook")
    office.endpoint(receiver)
    office.sell("tic_1")
    worker = Worker(office, httpserver, tmp_path / "offset")

    def kill(_: Request) -> Response:
        worker.kill()
        return Response(status=200)

    receiver.answer = kill
    assert worker.process.wait(60) == -signal.SIGKILL
    (delivery,) = office.deliveries()
    assert (delivery.state, delivery.attempts) == ("due", 1)
    assert office.deliver() == 0

    office.clock.advance(LEASE + timedelta(seconds=60))
    receiver.answer = lambda _: Response(status=200)
    assert office.deliver() == 1
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
    (delivery,) = office.deliveries()
    assert delivery.state == "delivered"
    lost, made = office.attempts(delivery)
    assert lost.duration_ms is None
    assert made.status == 200


def test_killed_at_random_moments_it_loses_nothing(
    office: Office, httpserver: HTTPServer, tmp_path: Path
) -> None:
    """Seen to fail when a delivery is marked as delivered before it is sent."""
    dice = random.Random(20261123)
    deadly = set(dice.sample(range(40), 2))
    receivers = [Receiver(httpserver, f"/hook{number}") for number in range(3)]
    for receiver in receivers:
        receiver.verifying = False
        office.endpoint(receiver)
    office.sell(*(f"tic_{number}" for number in range(15)))
    worker = Worker(office, httpserver, tmp_path / "offset")
    requests, lock = 0, Lock()

    def misbehave(_: Request) -> Response:
        nonlocal requests
        with lock:
            number = requests
            requests += 1
        if number in deadly:
            worker.kill()
        return Response(status=500 if number % 9 == 0 else 200)

    for receiver in receivers:
        receiver.answer = misbehave
    for _ in range(300):
        worker.begin_again_if_dead()
        worker.move_clock(timedelta(seconds=10))
        if set(office.states()) == {"delivered"}:
            break
    worker.kill()
    worker.process.wait(10)

    deliveries = office.deliveries()
    assert Counter(delivery.state for delivery in deliveries) == {"delivered": 45}
    events = {delivery.event_id for delivery in deliveries}
    for receiver in receivers:
        assert set(receiver.ids) == events
    for delivery in deliveries:
        attempts = office.attempts(delivery)
        assert [attempt.number for attempt in attempts] == list(range(1, delivery.attempts + 1))
        assert attempts[-1].status == 200
