"""Trades, refunds and the provider's own ledger, in memory behind one lock."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from simulator.clock import BEIJING, SimulatorClock

DEFAULT_LIFE = timedelta(days=15)


class Status(StrEnum):
    """The states of a trade."""

    WAIT_BUYER_PAY = "WAIT_BUYER_PAY"
    TRADE_SUCCESS = "TRADE_SUCCESS"
    TRADE_FINISHED = "TRADE_FINISHED"
    TRADE_CLOSED = "TRADE_CLOSED"


PAID = {Status.TRADE_SUCCESS, Status.TRADE_FINISHED}


@dataclass(kw_only=True)
class Refund:
    """Money given back under one out_request_no."""

    out_request_no: str
    amount_minor: int
    reason: str
    happened_at: datetime


@dataclass(kw_only=True)
class Trade:
    """One trade of one merchant. A precreated trade does not exist until its code is scanned."""

    trade_no: str
    app_id: str
    seller_id: str
    out_trade_no: str
    total_minor: int
    subject: str
    product_code: str
    notify_url: str
    created_at: datetime
    expires_at: datetime
    buyer_id: str = ""
    passback_params: str = ""
    scanned: bool = True
    status: Status = Status.WAIT_BUYER_PAY
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    refunds: dict[str, Refund] = field(default_factory=dict)

    @property
    def refunded_minor(self) -> int:
        """The sum of its refunds, in fen."""
        return sum(refund.amount_minor for refund in self.refunds.values())

    def same_order(self, other: "Trade") -> bool:
        """Say whether a repeated request asks for the same thing."""
        return (self.total_minor, self.subject, self.buyer_id, self.product_code) == (
            other.total_minor,
            other.subject,
            other.buyer_id,
            other.product_code,
        )


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the provider's ledger: money in for the seller, or out when negative."""

    happened_at: datetime
    app_id: str
    seller_id: str
    trade_no: str
    out_trade_no: str
    out_request_no: str
    subject: str
    amount_minor: int


class Trades:
    """Every trade of every merchant. Take `lock` around whatever must be seen as one step."""

    def __init__(self, clock: SimulatorClock, *, seed: int = 0) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.ledger: list[Entry] = []
        self._by_number: dict[tuple[str, str], Trade] = {}
        self._by_trade_no: dict[str, Trade] = {}
        self._waiting: dict[str, Trade] = {}
        self._random = random.Random(seed)
        self._numbered = 0

    @contextmanager
    def locked(self) -> Iterator[datetime]:
        """Hold the lock and give the moment at which the step happens."""
        with self.lock:
            yield self.clock.now()

    def new_number(self, *, middle: str = "22001") -> str:
        """Return a number of 28 digits, as trade_no has them: the date first, never twice."""
        with self.lock:
            self._numbered += 1
            day = self.clock.now().astimezone(BEIJING).strftime("%Y%m%d")
            noise = f"{self._random.randrange(10**7):07d}"
            return f"{day}{middle}{noise}{self._numbered:08d}"

    def add(self, trade: Trade) -> None:
        """Remember a new trade."""
        self._by_number[trade.app_id, trade.out_trade_no] = trade
        self._by_trade_no[trade.trade_no] = trade
        self._waiting[trade.trade_no] = trade

    def find(self, app_id: str, *, out_trade_no: str = "", trade_no: str = "") -> Trade | None:
        """Return a merchant's trade; `trade_no` wins when both are given."""
        if trade_no:
            trade = self._by_trade_no.get(trade_no)
            return trade if trade is not None and trade.app_id == app_id else None
        return self._by_number.get((app_id, out_trade_no))

    def by_trade_no(self, trade_no: str) -> Trade | None:
        """Return a trade by the provider's number."""
        return self._by_trade_no.get(trade_no)

    def all(self) -> list[Trade]:
        """Return every trade, oldest first."""
        return list(self._by_trade_no.values())

    def pay(self, trade: Trade, *, buyer_id: str, now: datetime, in_flight: bool = False) -> None:
        """Take the buyer's money. Raises ValueError when the trade cannot be paid.

        A payment that was `in_flight` when the trade was closed goes through all the same.
        """
        overtaken = in_flight and trade.status is Status.TRADE_CLOSED and trade.paid_at is None
        if trade.status is not Status.WAIT_BUYER_PAY and not overtaken:
            raise ValueError(f"the trade is {trade.status}")
        trade.scanned = True
        trade.buyer_id = trade.buyer_id or buyer_id
        trade.status = Status.TRADE_SUCCESS
        trade.paid_at = now
        self._waiting.pop(trade.trade_no, None)
        self._enter(trade, trade.total_minor, now=now)

    def close(self, trade: Trade, *, now: datetime) -> None:
        """Close an unpaid trade."""
        trade.status = Status.TRADE_CLOSED
        trade.closed_at = now
        self._waiting.pop(trade.trade_no, None)

    def refund(self, trade: Trade, refund: Refund) -> None:
        """Give money back; a trade refunded in full is closed."""
        trade.refunds[refund.out_request_no] = refund
        if trade.refunded_minor == trade.total_minor:
            trade.status = Status.TRADE_CLOSED
        self._enter(
            trade,
            -refund.amount_minor,
            now=refund.happened_at,
            out_request_no=refund.out_request_no,
        )

    def expired(self, *, now: datetime) -> list[Trade]:
        """Close the trades whose time has run out and return those a buyer had seen."""
        due = [trade for trade in self._waiting.values() if trade.expires_at <= now]
        for trade in due:
            self.close(trade, now=trade.expires_at)
        return [trade for trade in due if trade.scanned]

    def _enter(
        self, trade: Trade, amount_minor: int, *, now: datetime, out_request_no: str = ""
    ) -> None:
        self.ledger.append(
            Entry(
                happened_at=now,
                app_id=trade.app_id,
                seller_id=trade.seller_id,
                trade_no=trade.trade_no,
                out_trade_no=trade.out_trade_no,
                out_request_no=out_request_no,
                subject=trade.subject,
                amount_minor=amount_minor,
            )
        )
