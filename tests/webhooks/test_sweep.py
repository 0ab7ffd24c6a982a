"""The worker's part: one courier per process, kept between stretches."""

from pytest_httpserver import HTTPServer

from services.host.platform import Platform
from services.merchants.sweeps import SWEEPS, deliver
from tests.host.umbrellas import settings
from tests.webhooks.conftest import Office, Receiver


def test_the_sweep_delivers_and_records(office: Office, httpserver: HTTPServer) -> None:
    receivers = [Receiver(httpserver, f"/hook{number}") for number in range(3)]
    for receiver in receivers:
        office.endpoint(receiver)
    office.sell(*(f"tic_{number}" for number in range(5)))
    platform = Platform(
        settings=settings(),
        database=office.database,
        clock=office.clock,
        vault=office.vault,
        guarded_http=office.http,
    )
    assert deliver(platform) == 15
    assert set(office.states()) == {"delivered"}
    assert deliver(platform) == 0
    office.sell("tic_5")
    assert deliver(platform) == 3
    assert {sweep.channel for sweep in SWEEPS} == {"webhooks", None}
