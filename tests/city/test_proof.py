"""The proof finds a fen that is missing anywhere."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from simulator.city.books import TrialBalance, fen, provider_days_of_ours
from simulator.city.client import Client
from simulator.city.flows import Journey
from simulator.city.merchant import Tally
from simulator.city.proof import Expected, Proof
from simulator.city.trips import ENDS, Behaviour, Trip

HEADING = "\ufeffa heading\r\n"
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC).isoformat()


@dataclass
class Provider:
    """A provider's ledger: three payments in, one given back."""

    amounts: list[int] = field(default_factory=lambda: [400, 300, 200, -300, -200])

    def get(self, _path: str) -> Any:
        entries = [{"amount_minor": amount, "happened_at": NOON} for amount in self.amounts]
        return {"entries": entries, "balance_minor": sum(self.amounts)}


@dataclass
class World:
    """Everything the proof looks at, in order unless a test spoils it."""

    folder: Path
    trips: list[Trip]
    tally: Tally
    provider: Provider = field(default_factory=Provider)
    recomputed: str = "3 tickets recomputed, 0 differ"
    balances: dict[tuple[str, str], int] = field(
        default_factory=lambda: {
            ("HZMTRO", "assets:due-from:QTPLAT"): 400,
            ("HZMTRO", "income:fares"): -400,
            ("HZMTRO", "liabilities:customer-advances:transit"): 0,
            ("QTPLAT", "assets:provider:alipay:main"): 400,
            ("QTPLAT", "liabilities:due-to:HZMTRO"): -400,
        }
    )

    def proof(self) -> Proof:
        return Proof(
            expected=Expected(trips=self.trips),
            tally=self.tally,
            alipay=cast("Client", self.provider),
            exports=self.folder,
            trial_balance=TrialBalance(balances=self.balances),
            recomputed=self.recomputed,
        )


def trip(behaviour: Behaviour, amount_minor: int) -> Trip:
    return Trip(
        journey=Journey(slot=40, from_station="0", to_station="5"),
        citizen=1,
        behaviour=behaviour,
        count=1,
        ticket={"state": ENDS[behaviour], "amount_minor": amount_minor},
    )


def row(debit: str, credit: str, yuan: str) -> str:
    happened_at = "2026-11-23T12:00:00+08:00"
    cells = ["2026-11-23", "QTPLAT", "j", "1", "r", "t v1", debit, credit, yuan, "CNY", happened_at]
    return ",".join([*cells, happened_at, "", "", ""]) + "\r\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    account, other = "assets:provider:alipay:main", "liabilities:due-to:HZMTRO"
    day_book = HEADING + row(account, other, "9.00") + row(other, account, "5.00")
    (tmp_path / "day-book-QTPLAT-2026-11-23.csv").write_text(day_book, "utf-8")
    return World(
        folder=tmp_path,
        trips=[
            trip(Behaviour.COLLECTS, 400),
            trip(Behaviour.FORGETS, 300),
            trip(Behaviour.PAYS_LATE, 200),
        ],
        tally=Tally(
            events=Counter(
                {
                    "order.paid": 2,
                    "order.closed": 1,
                    "refund.succeeded": 1,
                    "transit.ticket-collected": 1,
                }
            ),
            amounts_minor=Counter(
                {
                    "order.paid": 700,
                    "order.closed": 200,
                    "refund.succeeded": 300,
                    "transit.ticket-collected": 400,
                }
            ),
        ),
    )


def not_fine(world: World) -> list[str]:
    return [finding.about for finding in world.proof().findings() if not finding.fine]


def test_a_day_in_order_is_proven(world: World) -> None:
    assert not_fine(world) == []
    assert world.proof().expected.told_all(world.tally)


def lose_a_ticket(world: World) -> None:
    world.trips[0].ticket = {"state": "paid", "amount_minor": 400}


def keep_a_refund(world: World) -> None:
    world.provider.amounts.remove(-200)


def take_a_fen_more(world: World) -> None:
    world.provider.amounts[0] += 1


def leave_an_advance(world: World) -> None:
    world.balances["HZMTRO", "liabilities:customer-advances:transit"] = -100
    world.balances["HZMTRO", "income:fares"] = -300


def forget_the_other_book(world: World) -> None:
    world.balances["QTPLAT", "liabilities:due-to:HZMTRO"] = 0
    world.balances["QTPLAT", "assets:provider:alipay:main"] = 0


def tilt_a_book(world: World) -> None:
    world.balances["HZMTRO", "income:fares"] = -399


def miss_a_callback(world: World) -> None:
    world.tally.events["order.paid"] -= 1


def hear_a_forgery(world: World) -> None:
    world.tally.refused = 1


def forget_to_recompute_one(world: World) -> None:
    world.recomputed = "2 tickets recomputed, 0 differ"


def lose_an_export(world: World) -> None:
    (world.folder / "day-book-QTPLAT-2026-11-23.csv").unlink()


@pytest.mark.parametrize(
    "harm",
    [
        lose_a_ticket,
        keep_a_refund,
        take_a_fen_more,
        leave_an_advance,
        forget_the_other_book,
        tilt_a_book,
        miss_a_callback,
        hear_a_forgery,
        lose_an_export,
        forget_to_recompute_one,
    ],
)
def test_whatever_is_missing_is_found(world: World, harm: Callable[[World], None]) -> None:
    harm(world)
    assert not_fine(world)


def test_exported_amounts_are_read_to_the_fen(world: World) -> None:
    assert list(provider_days_of_ours(world.folder).values()) == [400]
    assert fen("1234.05") == 123_405
    with pytest.raises(AssertionError):
        fen("0.005")


def test_an_exported_trial_balance_is_read(tmp_path: Path) -> None:
    file = tmp_path / "trial-balance-all-2026-11-23.csv"
    lines = (
        "HZMTRO,income:fares,CNY,0.00,0.00,0.00,4.00,0.00,4.00\r\n"
        "HZMTRO,assets:due-from:QTPLAT,CNY,0.00,0.00,9.00,5.00,4.00,0.00\r\n"
        "HZMTRO,合计 Total,CNY,0.00,0.00,9.00,9.00,4.00,4.00\r\n"
    )
    file.write_text(HEADING + lines, "utf-8")
    balance = TrialBalance.read(file)
    assert balance.books() == {"HZMTRO": 0}
    assert balance.total("income:") == -400
    assert balance.between_books() == {"HZMTRO and QTPLAT": 400}
