"""Composes and signs trade notices, and spoils them when a fault asks for it."""

import json
from datetime import datetime, timedelta
from urllib.parse import urlencode

from simulator.clock import BEIJING, SimulatorClock, wire_time
from simulator.courier import Courier
from simulator.keys import AlipayApp
from simulator.providers.alipay.faults import NOTICE_FAULTS, FaultName, Faults
from simulator.providers.alipay.money import yuan
from simulator.providers.alipay.signing import notice_content, sign
from simulator.providers.alipay.trades import Refund, Status, Trade, Trades

STRANGER_APP_ID = "2021999999999999"
STRANGER_SELLER_ID = "2088999999999999"
REORDERED_DELAY = timedelta(minutes=1)


class Notices:
    """Tells merchants what became of their trades."""

    def __init__(
        self, *, clock: SimulatorClock, trades: Trades, courier: Courier, faults: Faults
    ) -> None:
        self._clock = clock
        self._trades = trades
        self._courier = courier
        self._faults = faults

    def tell(self, app: AlipayApp, trade: Trade, *, refund: Refund | None = None) -> None:
        """Queue the notice of a trade's present state to the address it was made with."""
        if not trade.notify_url:
            return
        now = self._clock.now()
        fields = trade_fields(trade, refund=refund, now=now)
        fields["notify_id"] = self._trades.new_number(middle="00222")
        fault = self._faults.take(*NOTICE_FAULTS, out_trade_no=trade.out_trade_no)
        name = fault.name if fault else None
        if name is FaultName.LOST_NOTICE:
            return
        body = signed_body(spoil_facts(fields, name, trade), app)
        delay = timedelta(0)
        if fault and name is FaultName.LATE_NOTICE:
            delay = fault.delay
        if name is FaultName.REORDERED_NOTICE:
            delay = REORDERED_DELAY
        for _ in range(2 if name is FaultName.DUPLICATE_NOTICE else 1):
            self._courier.queue(
                trade.notify_url,
                body,
                notify_id=fields["notify_id"],
                about=trade.out_trade_no,
                delay=delay,
                first_body=spoil_bytes(body, fields, name, app),
            )


def trade_fields(trade: Trade, *, refund: Refund | None, now: datetime) -> dict[str, str]:
    """Return the fields of a trade_status_sync notice, unsigned and without notify_id."""
    fields = {
        "notify_time": wire_time(now),
        "notify_type": "trade_status_sync",
        "charset": "utf-8",
        "version": "1.0",
        "app_id": trade.app_id,
        "auth_app_id": trade.app_id,
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "seller_id": trade.seller_id,
        "trade_status": str(trade.status),
        "total_amount": yuan(trade.total_minor),
        "subject": trade.subject,
        "gmt_create": wire_time(trade.created_at),
    }
    if trade.buyer_id:
        fields |= {"buyer_id": trade.buyer_id, "buyer_logon_id": "138****0001"}
    if trade.passback_params:
        fields["passback_params"] = trade.passback_params
    if trade.paid_at is not None:
        amount = yuan(trade.total_minor)
        bills = [{"amount": amount, "fundChannel": "ALIPAYACCOUNT"}]
        fields |= {
            "gmt_payment": wire_time(trade.paid_at),
            "receipt_amount": amount,
            "buyer_pay_amount": amount,
            "invoice_amount": amount,
            "point_amount": "0.00",
            "fund_bill_list": json.dumps(bills, separators=(",", ":")),
        }
    if refund is not None:
        moment = refund.happened_at.astimezone(BEIJING)
        fields |= {
            "out_biz_no": refund.out_request_no,
            "refund_fee": yuan(trade.refunded_minor),
            "gmt_refund": f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}",
        }
    elif trade.status is Status.TRADE_CLOSED and trade.closed_at is not None:
        fields["gmt_close"] = wire_time(trade.closed_at)
    return fields


def signed_body(fields: dict[str, str], app: AlipayApp) -> bytes:
    """Return the form a merchant receives."""
    signature = sign(notice_content(fields).encode(), app.alipay_private_key)
    return urlencode({**fields, "sign": signature, "sign_type": "RSA2"}).encode("ascii")


def spoil_facts(fields: dict[str, str], name: FaultName | None, trade: Trade) -> dict[str, str]:
    """Return the fields with one wrong fact, which will be signed rightly."""
    if name is FaultName.WRONG_AMOUNT:
        return {**fields, "total_amount": yuan(trade.total_minor + 1)}
    if name is FaultName.WRONG_APP_ID:
        return {**fields, "app_id": STRANGER_APP_ID, "auth_app_id": STRANGER_APP_ID}
    if name is FaultName.WRONG_SELLER:
        return {**fields, "seller_id": STRANGER_SELLER_ID}
    return fields


def spoil_bytes(
    body: bytes, fields: dict[str, str], name: FaultName | None, app: AlipayApp
) -> bytes | None:
    """Return what the first send carries instead, or None when it is not spoilt."""
    if name is FaultName.TAMPERED_BYTE:
        at = body.index(b"trade_no=") + len(b"trade_no=")
        return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    if name is FaultName.BAD_SIGNATURE:
        signature = sign(b"another notice", app.alipay_private_key)
        return urlencode({**fields, "sign": signature, "sign_type": "RSA2"}).encode("ascii")
    return None
