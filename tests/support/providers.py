"""A payment provider in memory: it keeps true books, and does to its answers what it is told.

It signs notices with HMAC over the body, so tests can tamper with them, and answers every question
from what really happened there. `faults` are used up one by one, one for each call.
"""

import hashlib
import hmac
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from payments.providers.interface import (
    Acknowledgement,
    Capabilities,
    Notice,
    NoticeRejected,
    Outcome,
    PaymentInstruction,
    PaymentReference,
    RefundInstruction,
    RefundReference,
    Report,
    Scene,
    SceneNotSupported,
    Started,
)

CAPABILITIES = Capabilities(
    scenes=frozenset({Scene.MINI_PROGRAM, Scene.CUSTOMER_SCANS}), partial_refund=True
)
ACCEPTED = Acknowledgement(status=200, body=b"success", content_type="text/plain")
REFUSED = Acknowledgement(status=200, body=b"failure", content_type="text/plain")


class Fault(StrEnum):
    """What goes wrong with one call."""

    NONE = "none"
    LOST_REQUEST = "lost request"  # Nothing happens there, and we hear nothing.
    LOST_ANSWER = "lost answer"  # It happens there, and we hear nothing.
    REFUSED = "refused"
    NO_PAYER = "no payer"  # A start that names no payer.
    PAID_AT_ONCE = "paid at once"  # A start that needs no more of the citizen.
    CRASH_BEFORE = "crash before"  # We die before the request leaves.
    CRASH_AFTER = "crash after"  # We die after it happened there.


SILENT = {Fault.LOST_REQUEST, Fault.LOST_ANSWER}


class Crash(BaseException):
    """Our process dies here."""


@dataclass
class Trade:
    """A payment as the provider knows it; a code does not exist before somebody scans it."""

    amount_minor: int
    expires_at: datetime
    exists: bool
    paid_at: datetime | None = None
    closed: bool = False
    refunds: dict[str, int] = field(default_factory=dict)


@dataclass
class FakeProvider:
    """One account at a provider that is all in memory."""

    account_id: str = "main"
    name: str = "alipay"
    app_id: str = "app-1"
    seller_id: str = "seller-1"
    key: bytes = b"a key for tests"
    capabilities: Capabilities = CAPABILITIES
    accepted: Acknowledgement = ACCEPTED
    refused: Acknowledgement = REFUSED
    trades: dict[str, Trade] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    calls: list[tuple[str, str]] = field(default_factory=list)
    notices_sent: int = 0
    says: dict[str, Any] = field(default_factory=dict)  # What answers and notices say instead.

    def start(self, instruction: PaymentInstruction, *, now: datetime) -> Started:
        fault = self._fault("start", instruction.number)
        if fault is Fault.NO_PAYER:
            raise SceneNotSupported("it names no payer")
        if fault is Fault.REFUSED:
            return Started(outcome=Outcome.FAILED, reason="REFUSED")
        if fault is not Fault.LOST_REQUEST:
            self.trades.setdefault(
                instruction.number,
                Trade(
                    amount_minor=instruction.amount_minor,
                    expires_at=instruction.expires_at,
                    exists=instruction.scene is not Scene.CUSTOMER_SCANS,
                ),
            )
        self._after(fault)
        if fault in SILENT:
            return Started(outcome=Outcome.UNKNOWN, reason="no answer")
        if fault is Fault.PAID_AT_ONCE and self.pay(instruction.number, now=now):
            return Started(outcome=Outcome.SUCCEEDED)
        trade_number = f"T{instruction.number}"
        return Started(
            outcome=Outcome.PENDING,
            provider_number=trade_number,
            client={"trade_no": trade_number},
        )

    def query(self, reference: PaymentReference | RefundReference, *, now: datetime) -> Report:
        del now
        fault = self._fault("query", _about(reference))
        self._after(fault)
        if fault in SILENT:
            return _silence(reference)
        if isinstance(reference, PaymentReference):
            return self.report(reference.number)
        return self.refund_report(reference.number, reference.refund_number)

    def close(self, reference: PaymentReference, *, now: datetime) -> Report:
        del now
        fault = self._fault("close", reference.number)
        trade = self._trade(reference.number)
        if fault is Fault.LOST_REQUEST or (trade is not None and trade.paid_at is not None):
            self._after(fault)
            return _silence(reference)
        if trade is None:
            self._after(fault)
            return Report(outcome=Outcome.NOT_FOUND, number=reference.number)
        trade.closed = True
        self._after(fault)
        if fault in SILENT:
            return _silence(reference)
        return Report(outcome=Outcome.CLOSED, number=reference.number)

    def refund(self, instruction: RefundInstruction, *, now: datetime) -> Report:
        del now
        reference = RefundReference(
            number=instruction.number, refund_number=instruction.refund_number
        )
        fault = self._fault("refund", instruction.refund_number)
        trade = self.trades[instruction.number]
        assert trade.paid_at is not None, "nobody refunds what was not paid"
        assert instruction.paid_minor == trade.amount_minor
        if fault is Fault.REFUSED:
            return Report(
                outcome=Outcome.FAILED,
                number=instruction.number,
                refund_number=instruction.refund_number,
                reason="REFUSED",
            )
        if fault is not Fault.LOST_REQUEST:
            known = trade.refunds.setdefault(instruction.refund_number, instruction.amount_minor)
            assert known == instruction.amount_minor, "a refund number keeps its amount"
            assert sum(trade.refunds.values()) <= trade.amount_minor, "more than was paid"
        self._after(fault)
        if fault in SILENT:
            return _silence(reference)
        return self.refund_report(instruction.number, instruction.refund_number)

    def read_notice(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Notice:
        del now
        expected = hmac.digest(self.key, body, "sha256").hex()
        if not hmac.compare_digest(headers.get("Signature", ""), expected):
            raise NoticeRejected("the signature does not fit")
        fields = json.loads(body)
        if "number" not in fields:
            return Notice(notice_id=fields["id"], kind="other", report=None, fields=fields)
        report = Report(
            outcome=Outcome(fields["outcome"]),
            number=fields["number"],
            refund_number=fields.get("refund_number"),
            amount_minor=fields.get("amount_minor"),
            currency=fields.get("currency"),
            app_id=fields.get("app_id"),
            seller_id=fields.get("seller_id"),
            happened_at=_moment(fields.get("happened_at")),
        )
        return Notice(notice_id=fields["id"], kind="trade", report=report, fields=fields)

    # What happens in the world, and what tests look at.

    def pay(self, number: str, *, now: datetime) -> bool:
        """The citizen pays; tells whether the provider let it happen."""
        trade = self.trades.get(number)
        if trade is None or trade.closed or trade.paid_at or now >= trade.expires_at:
            return False
        trade.exists = True
        trade.paid_at = now
        return True

    def report(self, number: str) -> Report:
        """What really became of a payment, unless `says` has it say otherwise."""
        trade = self._trade(number)
        if trade is None:
            return Report(outcome=Outcome.NOT_FOUND, number=number)
        outcome = Outcome.CLOSED if trade.closed else Outcome.PENDING
        said: dict[str, Any] = {
            "outcome": Outcome.SUCCEEDED if trade.paid_at else outcome,
            "number": number,
            "provider_number": f"T{number}",
            "amount_minor": trade.amount_minor,
            "currency": "CNY",
            "app_id": self.app_id,
            "seller_id": self.seller_id,
            "happened_at": trade.paid_at,
        }
        return Report(**{**said, **self.says})

    def refund_report(self, number: str, refund_number: str) -> Report:
        """What really became of a refund."""
        amount = self.trades[number].refunds.get(refund_number)
        said: dict[str, Any] = {
            "outcome": Outcome.NOT_FOUND if amount is None else Outcome.SUCCEEDED,
            "number": number,
            "refund_number": refund_number,
            "amount_minor": amount,
            "currency": "CNY",
        }
        return Report(**{**said, **self.says})

    def notice(
        self, number: str, refund_number: str | None = None, /, **changes: Any
    ) -> tuple[dict[str, str], bytes]:
        """A signed notice, headers and body, of what really became of a payment or refund."""
        report = self.refund_report(number, refund_number) if refund_number else self.report(number)
        self.notices_sent += 1
        fields = {
            "id": f"{self.account_id}-{self.notices_sent}",
            "number": report.number,
            "refund_number": report.refund_number,
            "outcome": report.outcome,
            "amount_minor": report.amount_minor,
            "currency": "CNY",
            "app_id": self.app_id,
            "seller_id": self.seller_id,
            "happened_at": report.happened_at.isoformat() if report.happened_at else None,
        }
        return self.signed({**fields, **changes})

    def signed(self, fields: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """Headers and body of any notice this account's key signs."""
        body = json.dumps(fields, sort_keys=True).encode()
        return {"Signature": hmac.new(self.key, body, hashlib.sha256).hexdigest()}, body

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(1 for name, _ in self.calls if name == method)

    def holds(self) -> int:
        """The money this account holds for us: what was paid less what was returned."""
        return sum(
            trade.amount_minor - sum(trade.refunds.values())
            for trade in self.trades.values()
            if trade.paid_at is not None
        )

    def _trade(self, number: str) -> Trade | None:
        trade = self.trades.get(number)
        return trade if trade is not None and trade.exists else None

    def _fault(self, method: str, number: str) -> Fault:
        self.calls.append((method, number))
        fault = self.faults.popleft() if self.faults else Fault.NONE
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        return fault

    @staticmethod
    def _after(fault: Fault) -> None:
        if fault is Fault.CRASH_AFTER:
            raise Crash


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        raise NoticeRejected("happened_at is no moment") from None


def _about(reference: PaymentReference | RefundReference) -> str:
    return getattr(reference, "refund_number", reference.number)


def _silence(reference: PaymentReference | RefundReference) -> Report:
    return Report(
        outcome=Outcome.UNKNOWN,
        number=reference.number,
        refund_number=getattr(reference, "refund_number", None),
        reason="no answer",
    )
