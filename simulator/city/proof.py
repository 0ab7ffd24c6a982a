"""Is every fen explained? What people did, set against what everybody's books say of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulator.city.books import (
    PROVIDER,
    TrialBalance,
    ledger,
    provider_days_of_ours,
    provider_days_of_theirs,
    yuan,
)
from simulator.city.client import Client
from simulator.city.merchant import Tally
from simulator.city.trips import ENDS, Behaviour, End, Trip

SURPLUS: Final = frozenset({Behaviour.PAYS_LATE, Behaviour.PAYS_TWICE})


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at: whether it is as it has to be, and what was seen."""

    about: str
    fine: bool
    seen: str


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What follows from what people did, in numbers and fen."""

    trips: Sequence[Trip]

    def number(self, end: End) -> int:
        """Return how many tickets end so."""
        return len(self._ending(end))

    def amount_minor(self, end: End) -> int:
        """Return what the tickets cost that end so."""
        return sum(trip.amount_minor for trip in self._ending(end))

    @property
    def sold_minor(self) -> int:
        """What was paid for tickets, whatever became of them."""
        return self.amount_minor(End.COLLECTED) + self.amount_minor(End.REFUNDED)

    @property
    def surplus(self) -> list[int]:
        """The payments, in fen, that belong to no order."""
        return [trip.amount_minor for trip in self.trips if trip.behaviour in SURPLUS]

    @property
    def events(self) -> dict[str, tuple[int, int]]:
        """What the merchant is told: how often, and about how many fen in all."""
        sold = self.number(End.COLLECTED) + self.number(End.REFUNDED)
        told = {
            "order.paid": (sold, self.sold_minor),
            "order.closed": (self.number(End.LAPSED), self.amount_minor(End.LAPSED)),
            "refund.succeeded": (self.number(End.REFUNDED), self.amount_minor(End.REFUNDED)),
            "transit.ticket-collected": (
                self.number(End.COLLECTED),
                self.amount_minor(End.COLLECTED),
            ),
        }
        return {name: counted for name, counted in told.items() if counted[0]}

    def told_all(self, tally: Tally) -> bool:
        """Say whether the merchant has heard of everything."""
        return told(tally) == self.events

    def _ending(self, end: End) -> list[Trip]:
        return [trip for trip in self.trips if ENDS[trip.behaviour] is end]


def told(tally: Tally) -> dict[str, tuple[int, int]]:
    """Return what the merchant heard: how often, and about how many fen in all."""
    return {name: (count, tally.amounts_minor[name]) for name, count in tally.events.items()}


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Everybody's books after a day. `recomputed` is what the platform's check of fares said."""

    expected: Expected
    tally: Tally
    alipay: Client
    exports: Path
    trial_balance: TrialBalance
    recomputed: str

    def findings(self) -> Iterator[Finding]:
        """Look at everything; a fen that is not explained is a finding that is not fine."""
        yield self._tickets()
        yield self._provider()
        yield self._provider_days()
        yield self._balance()
        yield self._clearing()
        yield self._income()
        yield self._callbacks()
        yield Finding(
            about="every fare recomputed alike",
            fine=self.recomputed == f"{len(self.expected.trips)} tickets recomputed, 0 differ",
            seen=self.recomputed,
        )

    def _tickets(self) -> Finding:
        wrong = [trip for trip in self.expected.trips if not trip.ended]
        ends = Counter(trip.ticket.get("state", "not bought") for trip in wrong)
        return Finding(
            about="tickets ended as people acted",
            fine=not wrong,
            seen=f"{len(self.expected.trips) - len(wrong)} of {len(self.expected.trips)}"
            + "".join(f", {number} left {state}" for state, number in ends.items()),
        )

    def _provider(self) -> Finding:
        entries = ledger(self.alipay)["entries"]
        taken = sum(entry["amount_minor"] for entry in entries if entry["amount_minor"] > 0)
        given = -sum(entry["amount_minor"] for entry in entries if entry["amount_minor"] < 0)
        surplus = sum(self.expected.surplus)
        fine = (taken, given) == (
            self.expected.sold_minor + surplus,
            self.expected.amount_minor(End.REFUNDED) + surplus,
        )
        return Finding(
            about="the provider took and gave back as people paid",
            fine=fine,
            seen=f"took {yuan(taken)}, gave back {yuan(given)}",
        )

    def _provider_days(self) -> Finding:
        ours = provider_days_of_ours(self.exports)
        theirs = provider_days_of_theirs(self.alipay)
        days = sorted({*ours, *theirs})
        apart = {day: ours.get(day, 0) - theirs.get(day, 0) for day in days}
        apart = {day: gap for day, gap in apart.items() if gap}
        seen = ", ".join(f"{day} {yuan(ours.get(day, 0))}" for day in days)
        seen += "".join(f"; {day} differs by {yuan(gap)}" for day, gap in apart.items())
        return Finding(about="each day's bill equals our books", fine=not apart, seen=seen)

    def _balance(self) -> Finding:
        books = self.trial_balance.books()
        between = self.trial_balance.between_books()
        return Finding(
            about="every book balances, and they agree",
            fine=bool(books) and not any(books.values()) and not between,
            seen=", ".join(f"{book} {yuan(left)}" for book, left in books.items())
            + "".join(f"; {pair} apart by {yuan(gap)}" for pair, gap in between.items()),
        )

    def _clearing(self) -> Finding:
        left = self.trial_balance.not_cleared()
        seen = ", ".join(f"{account} {yuan(amount)}" for account, amount in left.items())
        return Finding(
            about="advances and suspense are empty", fine=not left, seen=seen or "nothing left"
        )

    def _income(self) -> Finding:
        income = -self.trial_balance.total("income:")
        held = self.trial_balance.total(PROVIDER)
        earned = self.expected.amount_minor(End.COLLECTED)
        return Finding(
            about="income is what was collected",
            fine=income == held == earned == ledger(self.alipay)["balance_minor"],
            seen=f"earned {yuan(income)}, at the provider {yuan(held)}",
        )

    def _callbacks(self) -> Finding:
        heard = told(self.tally)
        apart = {
            name: (heard.get(name), self.expected.events.get(name))
            for name in {*heard, *self.expected.events}
            if heard.get(name) != self.expected.events.get(name)
        }
        return Finding(
            about="the operator was told, signed",
            fine=not apart and not self.tally.refused,
            seen=f"{sum(self.tally.events.values())} events in {self.tally.deliveries} deliveries,"
            f" {self.tally.turned_away + self.tally.too_old} turned away and sent again,"
            f" {self.tally.refused} not authentic"
            + "".join(f"; {name}: heard {h}, due {d}" for name, (h, d) in apart.items()),
        )
