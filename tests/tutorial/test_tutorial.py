"""The tutorial's files, taken out of the page, built, installed beside us, and used."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Request

from payments.events import flows as events
from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.ids import PLATFORM_BOOK, BookId
from payments.ledger import operations as ledger
from payments.ledger import queries
from payments.orders import flows
from payments.orders.rules import LOOK_INTERVAL
from payments.providers.interface import Scene
from payments.providers.registry import Providers
from services.host.access import Principal
from services.host.application import create_app
from services.host.manifest import Plugin, Title
from services.host.platform import Platform
from services.host.settings import Settings
from services.host.worker import handlers_of
from tests.architecture.sources import ROOT
from tests.support.providers import FakeProvider

FILE = re.compile(r"```\w+ file=(\S+)\n(.*?)```", re.DOTALL)
LOCKERS = BookId("LOCKER")
CITIZEN = "cit_tutorial"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory the tutorial's distribution was installed into."""
    source = tmp_path_factory.mktemp("city-lockers")
    target = tmp_path_factory.mktemp("installed")
    for name, content in FILE.findall((ROOT / "docs" / "tutorial.md").read_text("utf-8")):
        (source / name).write_text(content, "utf-8")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--root-user-action=ignore", "--target", target, source),
        ],
        check=True,
    )
    return target


def test_the_service_is_written_in_under_60_lines(installed: Path) -> None:
    assert len((installed / "lockers.py").read_text("utf-8").splitlines()) < 60


def test_the_host_finds_it_by_its_entry_point(installed: Path) -> None:
    listed = subprocess.run(
        [Path(sys.executable).with_name("flask"), "plugins"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "lockers" in listed.stdout


def test_a_locker_is_rented_paid_and_earned(
    installed: Path, database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed))
    lockers: Plugin = importlib.import_module("lockers").plugin
    app = create_app(
        Settings(environment="development"),
        installed=(lockers, sign_in()),
        database=database,
        clock=clock,
    )
    with database.transaction() as session:
        for book_id in (LOCKERS, PLATFORM_BOOK):
            ledger.open_book(session, book_id=book_id, name=book_id, now=clock.now())
    answer = app.test_client().post(
        "/v1/lockers/rentals",
        headers={"Authorization": "Bearer anybody", "Idempotency-Key": "rental-0001"},
    )
    assert answer.status_code == 201, answer.text
    pay(database, clock, order_id=answer.get_json()["order_id"])
    while events.drain(database, handlers=handlers_of((lockers,)), clock=clock):
        pass
    with database.read() as session:
        earned, advanced = (
            queries.balance(session, book_id=LOCKERS, account=account)
            for account in ("income:lockers", "liabilities:customer-advances:lockers")
        )
    assert (earned.debits_minor, earned.credits_minor) == (0, 300)
    assert (advanced.debits_minor, advanced.credits_minor) == (300, 300)


def sign_in() -> Plugin:
    """A plug-in that takes every bearer token for one citizen's."""

    def answer(_request: Request, _platform: Platform) -> Principal:
        return Principal(kind="citizen", id=CITIZEN)

    return Plugin(
        name="signin", title=Title(zh="登录", en="Sign-in"), authenticators={"bearer": answer}
    )


def pay(database: Database, clock: FixedClock, *, order_id: str) -> None:
    """Pay an order at a provider that is played, and look at it once."""
    alipay = FakeProvider()
    providers = Providers([alipay])
    attempt = flows.start_payment(
        database,
        order_id=order_id,
        citizen_id=CITIZEN,
        provider_name=alipay.name,
        scene=Scene.MINI_PROGRAM,
        payer="2088000000000001",
        request_key="payment-0001",
        providers=providers,
        clock=clock,
        notify_base_url="https://city.example",
    )
    assert alipay.pay(attempt.number, now=clock.now())
    clock.advance(LOOK_INTERVAL)
    flows.look(database, order_id=order_id, citizen_id=CITIZEN, providers=providers, clock=clock)
