"""Verified fields as Reports: what an answer or a notice says of one payment or refund.

What cannot be read is UNKNOWN in an answer, because money may have moved, and refused in a notice,
because Alipay will send it again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from payments.kernel.money import CNY, AmountInvalid, parse_yuan
from payments.providers.alipay.codes import TRADE_NOTICE, trade_outcome
from payments.providers.alipay.wire import AlipayKey, Answer, parse_time, read_notice
from payments.providers.interface import (
    Notice,
    NoticeRejected,
    Outcome,
    PaymentReference,
    RefundReference,
    Report,
)

Reference = PaymentReference | RefundReference

TOTAL_CURRENCY: Final = "trans_currency"  # Of total_amount; absent where that is in yuan.


def bare(outcome: Outcome, reference: Reference, reason: str) -> Report:
    """Return a report that says an outcome and nothing else."""
    refund_number = reference.refund_number if isinstance(reference, RefundReference) else None
    return Report(
        outcome=outcome, number=reference.number, refund_number=refund_number, reason=reason
    )


def of_payment(reference: PaymentReference, answer: Answer) -> Report:
    """Read the answer of trade.query, which names neither app nor seller."""
    paid_at = answer.text("send_pay_date")
    try:
        return Report(
            outcome=trade_outcome(answer.text("trade_status"), paid_at=paid_at),
            number=reference.number,
            provider_number=answer.text("trade_no") or None,
            amount_minor=parse_yuan(answer.text("total_amount")),
            currency=answer.text(TOTAL_CURRENCY) or CNY,
            payer=_payer(answer.fields),
            happened_at=_moment(paid_at),
            reason=answer.text("trade_status"),
        )
    except (AmountInvalid, ValueError):
        return bare(Outcome.UNKNOWN, reference, "an amount or a time that cannot be read")


def of_asked_refund(reference: RefundReference, answer: Answer) -> Report:
    """Read the answer of trade.refund: done only when fund_change is Y.

    It names the sum of all refunds of the trade, not this one's amount.
    """
    changed = answer.text("fund_change")
    return Report(
        outcome=Outcome.SUCCEEDED if changed == "Y" else Outcome.UNKNOWN,
        number=reference.number,
        refund_number=reference.refund_number,
        provider_number=answer.text("trade_no") or None,
        payer=_payer(answer.fields),
        reason=f"fund_change={changed}",
    )


def of_refund(reference: RefundReference, answer: Answer) -> Report:
    """Read the answer of fastpay.refund.query: without refund_status there is no such refund."""
    status = answer.text("refund_status")
    if not status:
        return bare(Outcome.NOT_FOUND, reference, "no refund_status")
    if status != "REFUND_SUCCESS" or answer.text("out_request_no") != reference.refund_number:
        return bare(Outcome.UNKNOWN, reference, f"refund_status={status}")
    try:
        return Report(
            outcome=Outcome.SUCCEEDED,
            number=reference.number,
            refund_number=reference.refund_number,
            provider_number=answer.text("trade_no") or None,
            amount_minor=parse_yuan(answer.text("refund_amount")),
            currency=CNY,
            happened_at=_moment(answer.text("gmt_refund_pay")),
            reason=status,
        )
    except (AmountInvalid, ValueError):
        return bare(Outcome.UNKNOWN, reference, "an amount or a time that cannot be read")


def of_notice(alipay: AlipayKey, body: bytes) -> Notice:
    """Verify and read a callback. Raises NoticeRejected."""
    fields = read_notice(alipay, body)
    notice_id, kind = fields.get("notify_id", ""), fields.get("notify_type", "")
    if not notice_id or not kind:
        raise NoticeRejected("notify_id or notify_type is missing")
    report = of_trade_notice(fields) if kind == TRADE_NOTICE else None
    return Notice(notice_id=notice_id, kind=kind, report=report, fields=fields)


def of_trade_notice(fields: Mapping[str, str]) -> Report | None:
    """Read a trade notice. Raises NoticeRejected.

    A notice with gmt_refund is about the refund that out_biz_no names; it states the sum of all
    refunds of the trade. When it names none, only a query can tell, so there is no report. App and
    seller have to be named: a field can be hidden inside the value before it under the same sign.
    """
    number, status = fields.get("out_trade_no", ""), fields.get("trade_status", "")
    if not number or not status:
        raise NoticeRejected("out_trade_no or trade_status is missing")
    if not fields.get("app_id") or not fields.get("seller_id"):
        raise NoticeRejected("app_id or seller_id is missing")
    try:
        amount_minor = parse_yuan(fields.get("total_amount", ""))
        paid_at = _moment(fields.get("gmt_payment", ""))
        closed_at = _moment(fields.get("gmt_close", ""))
        refunded_at = _moment(fields.get("gmt_refund", ""))
    except AmountInvalid:
        raise NoticeRejected("total_amount is not an amount in yuan") from None
    except ValueError:
        raise NoticeRejected("a gmt_ field is not a time") from None
    refund_number = fields.get("out_biz_no") if refunded_at else None
    if refunded_at and not refund_number:
        return None
    outcome = trade_outcome(status, paid_at=fields.get("gmt_payment", ""))
    return Report(
        outcome=Outcome.SUCCEEDED if refund_number else outcome,
        number=number,
        refund_number=refund_number,
        provider_number=fields.get("trade_no") or None,
        amount_minor=None if refund_number else amount_minor,
        currency=fields.get(TOTAL_CURRENCY) or CNY,
        app_id=fields.get("app_id"),
        seller_id=fields.get("seller_id"),
        payer=_payer(fields),
        happened_at=refunded_at or paid_at or closed_at,
        reason=status,
    )


def _payer(fields: Mapping[str, object]) -> str | None:
    for name in ("buyer_user_id", "buyer_id", "buyer_open_id"):
        value = fields.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def _moment(text: str) -> datetime | None:
    return parse_time(text) if text else None
