"""The gateway's methods: what each checks, changes and answers.

A new method is a function from Call to a node and one line in METHODS.
"""

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from simulator.clock import BEIJING, moment_of, wire_time
from simulator.providers.alipay.answers import OAUTH_TOKEN, Node, Refused, invalid, success
from simulator.providers.alipay.faults import FaultName
from simulator.providers.alipay.money import fen, yuan
from simulator.providers.alipay.trades import DEFAULT_LIFE, PAID, Refund, Status, Trade
from simulator.providers.alipay.world import Call

OUT_TRADE_NO = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
LONGEST_SUBJECT = 256
TIMEOUT_EXPRESS = re.compile(r"([1-9][0-9]{0,4})([mhd])", re.ASCII)
TIMEOUT_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

TRADE_NOT_EXIST = Refused(sub_code="ACQ.TRADE_NOT_EXIST", sub_msg="交易不存在")


def create(call: Call) -> Node:
    """alipay.trade.create: a trade that the buyer then pays inside a mini program."""
    buyer = call.text("buyer_id") or call.text("buyer_open_id")
    if call.text("product_code") == "JSAPI_PAY" and not call.text("op_app_id"):
        raise invalid("op_app_id")
    if not buyer and not call.text("buyer_logon_id"):
        raise invalid("buyer_id")
    trade = _place(call, buyer_id=buyer)
    return success(out_trade_no=trade.out_trade_no, trade_no=trade.trade_no)


def precreate(call: Call) -> Node:
    """alipay.trade.precreate: a code to show; the trade does not exist until it is scanned."""
    trade = _place(call, scanned=False)
    address = f"{call.base_url}/alipay/cashier/{trade.trade_no}"
    return success(out_trade_no=trade.out_trade_no, qr_code=address)


def query(call: Call) -> Node:
    """alipay.trade.query: the state of a trade that exists."""
    trade = _existing(call)
    bills = [{"amount": yuan(trade.total_minor), "fund_channel": "ALIPAYACCOUNT"}]
    paid_at = trade.paid_at
    return success(
        out_trade_no=trade.out_trade_no,
        trade_no=trade.trade_no,
        trade_status=str(trade.status),
        total_amount=yuan(trade.total_minor),
        receipt_amount=yuan(trade.total_minor) if paid_at else "0.00",
        buyer_pay_amount=yuan(trade.total_minor) if paid_at else "0.00",
        invoice_amount=yuan(trade.total_minor) if paid_at else "0.00",
        point_amount="0.00",
        buyer_user_id=trade.buyer_id,
        buyer_logon_id="138****0001" if trade.buyer_id else "",
        send_pay_date=wire_time(paid_at) if paid_at else "",
        fund_bill_list=bills if paid_at else None,
        subject=trade.subject,
        passback_params=trade.passback_params,
    )


def close(call: Call) -> Node:
    """alipay.trade.close: an unpaid trade can no longer be paid."""
    trade = _existing(call)
    if trade.status is not Status.WAIT_BUYER_PAY:
        raise Refused(sub_code="ACQ.TRADE_STATUS_ERROR", sub_msg="交易状态不合法")
    call.alipay.trades.close(trade, now=call.alipay.clock.now())
    return success(out_trade_no=trade.out_trade_no, trade_no=trade.trade_no)


def cancel(call: Call) -> Node:
    """alipay.trade.cancel: close what is unpaid, give back what was paid."""
    trade = _existing(call)
    action = ""
    if trade.status is Status.WAIT_BUYER_PAY:
        call.alipay.trades.close(trade, now=call.alipay.clock.now())
        action = "close"
    elif trade.status in PAID:
        left = trade.total_minor - trade.refunded_minor
        _give_back(call, trade, number=trade.out_trade_no, amount_minor=left)
        action = "refund"
    return success(
        out_trade_no=trade.out_trade_no, trade_no=trade.trade_no, retry_flag="N", action=action
    )


def refund(call: Call) -> Node:
    """alipay.trade.refund: done only when fund_change is Y; refund_fee is cumulative."""
    trade = _existing(call)
    amount_minor = _amount(call, "refund_amount")
    number = call.text("out_request_no") or trade.out_trade_no
    known = trade.refunds.get(number)
    if known is not None and known.amount_minor != amount_minor:
        raise Refused(sub_code="ACQ.DISCORDANT_REPEAT_REQUEST", sub_msg="请求信息与第一次不一致")
    if known is None:
        if trade.status not in PAID:
            raise Refused(sub_code="ACQ.TRADE_STATUS_ERROR", sub_msg="交易状态不合法")
        if trade.refunded_minor + amount_minor > trade.total_minor:
            raise Refused(sub_code="ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", sub_msg="退款金额超限")
    stays = call.alipay.faults.take(
        FaultName.REFUND_NOT_CHANGED, out_trade_no=trade.out_trade_no, method=call.method
    )
    changes = known is None and stays is None
    if changes:
        known = _give_back(call, trade, number=number, amount_minor=amount_minor)
    return success(
        out_trade_no=trade.out_trade_no,
        trade_no=trade.trade_no,
        buyer_user_id=trade.buyer_id,
        buyer_logon_id="138****0001",
        fund_change="Y" if changes else "N",
        refund_fee=yuan(trade.refunded_minor),
        send_back_fee=yuan(amount_minor) if changes else "0.00",
        gmt_refund_pay=wire_time(known.happened_at) if known else "",
    )


def query_refund(call: Call) -> Node:
    """alipay.trade.fastpay.refund.query: no refund_status means no refund went through."""
    trade = _existing(call)
    number = call.text("out_request_no")
    if not number:
        raise invalid("out_request_no")
    known = trade.refunds.get(number)
    if known is None:
        return success()
    options = call.content.get("query_options", [])
    wants_time = isinstance(options, list) and "gmt_refund_pay" in options
    return success(
        out_trade_no=trade.out_trade_no,
        trade_no=trade.trade_no,
        out_request_no=known.out_request_no,
        refund_amount=yuan(known.amount_minor),
        total_amount=yuan(trade.total_minor),
        refund_reason=known.reason,
        refund_status="REFUND_SUCCESS",
        gmt_refund_pay=wire_time(known.happened_at) if wants_time else "",
    )


def oauth_token(call: Call) -> Node:
    """alipay.system.oauth.token: whose the code is. Its parameters stand beside biz_content."""
    if call.parameters.get("grant_type") != "authorization_code":
        raise Refused(code="40002", sub_code="isv.grant-type-invalid", sub_msg="授权类型无效")
    user_id = call.alipay.people.redeem(call.parameters.get("code", ""), app_id=call.app.app_id)
    if user_id is None:
        raise Refused(code="40002", sub_code="isv.code-invalid", sub_msg="授权码code无效")
    return {
        "access_token": f"authusrB{secrets.token_hex(16)}",
        "refresh_token": f"authusrB{secrets.token_hex(16)}",
        "auth_start": wire_time(call.alipay.clock.now()),
        "expires_in": 1_296_000,
        "re_expires_in": 2_592_000,
        "user_id": user_id,
    }


METHODS: dict[str, Callable[[Call], Node]] = {
    OAUTH_TOKEN: oauth_token,
    "alipay.trade.create": create,
    "alipay.trade.precreate": precreate,
    "alipay.trade.query": query,
    "alipay.trade.close": close,
    "alipay.trade.cancel": cancel,
    "alipay.trade.refund": refund,
    "alipay.trade.fastpay.refund.query": query_refund,
}


def _existing(call: Call) -> Trade:
    """Return the trade a request names. Raises Refused."""
    trade_no, out_trade_no = call.text("trade_no"), call.text("out_trade_no")
    if not trade_no and not out_trade_no:
        raise invalid("out_trade_no")
    trade = call.alipay.trades.find(call.app.app_id, out_trade_no=out_trade_no, trade_no=trade_no)
    if trade is None or not trade.scanned:
        raise TRADE_NOT_EXIST
    return trade


def _place(call: Call, *, buyer_id: str = "", scanned: bool = True) -> Trade:
    """Return a new trade, or the same one for a repeated request. Raises Refused."""
    number, subject = call.text("out_trade_no"), call.text("subject")
    if not OUT_TRADE_NO.fullmatch(number):
        raise invalid("out_trade_no")
    if not subject or len(subject) > LONGEST_SUBJECT or set(subject) & set("/=&"):
        raise invalid("subject")
    now = call.alipay.clock.now()
    wanted = Trade(
        trade_no=call.alipay.trades.new_number(),
        app_id=call.app.app_id,
        seller_id=call.text("seller_id") or call.app.seller_id,
        out_trade_no=number,
        total_minor=_amount(call, "total_amount"),
        subject=subject,
        product_code=call.text("product_code"),
        notify_url=call.parameters.get("notify_url", ""),
        created_at=now,
        expires_at=_expiry(call, now=now),
        buyer_id=buyer_id,
        passback_params=call.text("passback_params"),
        scanned=scanned,
    )
    known = call.alipay.trades.find(call.app.app_id, out_trade_no=number)
    if known is None:
        call.alipay.trades.add(wanted)
        return wanted
    if known.paid_at is not None:
        raise Refused(sub_code="ACQ.TRADE_HAS_SUCCESS", sub_msg="交易已被支付")
    if known.status is Status.TRADE_CLOSED:
        raise Refused(sub_code="ACQ.TRADE_HAS_CLOSE", sub_msg="交易已经关闭")
    if not known.same_order(wanted):
        raise Refused(sub_code="ACQ.CONTEXT_INCONSISTENT", sub_msg="交易信息被篡改")
    return known


def _give_back(call: Call, trade: Trade, *, number: str, amount_minor: int) -> Refund:
    """Move the money back and tell the merchant."""
    given = Refund(
        out_request_no=number,
        amount_minor=amount_minor,
        reason=call.text("refund_reason"),
        happened_at=call.alipay.clock.now(),
    )
    call.alipay.trades.refund(trade, given)
    call.alipay.notices.tell(call.app, trade, refund=given)
    return given


def _amount(call: Call, name: str) -> int:
    try:
        return fen(call.text(name))
    except ValueError:
        raise invalid(name) from None


def _expiry(call: Call, *, now: datetime) -> datetime:
    """Return when the trade runs out: time_expire wins over the relative forms."""
    if absolute := call.text("time_expire"):
        try:
            moment = moment_of(absolute)
        except ValueError:
            raise invalid("time_expire") from None
        if moment <= now:
            raise Refused(
                sub_code="ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR",
                sub_msg="当前时间已超过允许支付的时间",
            )
        return moment
    relative = call.text("timeout_express") or call.text("qr_code_timeout_express")
    if not relative:
        return now + DEFAULT_LIFE
    if relative == "1c":
        midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(days=1)
    match = TIMEOUT_EXPRESS.fullmatch(relative)
    if match is None or int(match[1]) * TIMEOUT_UNITS[match[2]] > DEFAULT_LIFE:
        raise invalid("timeout_express")
    return now + int(match[1]) * TIMEOUT_UNITS[match[2]]
