"""What Alipay's codes mean for us, as tables.

A refusal is final only where a table says so; every code we do not know is UNKNOWN, which a query
settles. Source: Alipay's open documentation of each method, "business error codes".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from payments.providers.interface import Outcome

CREATE: Final = "alipay.trade.create"
PRECREATE: Final = "alipay.trade.precreate"
QUERY: Final = "alipay.trade.query"
CLOSE: Final = "alipay.trade.close"
REFUND: Final = "alipay.trade.refund"
REFUND_QUERY: Final = "alipay.trade.fastpay.refund.query"

TRADE_NOTICE: Final = "trade_status_sync"

DONE: Final = "10000"
GATEWAY_REFUSALS: Final = ("20001", "40001", "40002", "40006")

# Both of the success states are paid: FINISHED only means that it can no longer be refunded.
TRADE_STATES: Final = MappingProxyType(
    {
        "WAIT_BUYER_PAY": Outcome.PENDING,
        "TRADE_SUCCESS": Outcome.SUCCEEDED,
        "TRADE_FINISHED": Outcome.SUCCEEDED,
        "TRADE_CLOSED": Outcome.CLOSED,
    }
)

_ABSENT: Final = MappingProxyType({"ACQ.TRADE_NOT_EXIST": Outcome.NOT_FOUND})
_START: Final = MappingProxyType(
    dict.fromkeys(
        (
            *GATEWAY_REFUSALS,
            "ACQ.ACCESS_FORBIDDEN",
            "ACQ.BUYER_BALANCE_NOT_ENOUGH",
            "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH",
            "ACQ.BUYER_ENABLE_STATUS_FORBID",
            "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR",
            "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
            "ACQ.BUYER_SELLER_EQUAL",
            "ACQ.CONTEXT_INCONSISTENT",
            "ACQ.EXIST_FORBIDDEN_WORD",
            "ACQ.INVALID_PARAMETER",
            "ACQ.MERCHANT_STATUS_NOT_NORMAL",
            "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR",
            "ACQ.PARTNER_ERROR",
            "ACQ.PAYMENT_AUTH_CODE_INVALID",
            "ACQ.SELLER_BEEN_BLOCKED",
            "ACQ.SELLER_NOT_EXIST",
            "ACQ.TOTAL_FEE_EXCEED",
            "ACQ.TRADE_BUYER_NOT_MATCH",
        ),
        Outcome.FAILED,
    )
)
# Not here, so UNKNOWN and asked again under the same number: what the merchant can mend, such as
# its key, its permissions or SELLER_BALANCE_NOT_ENOUGH, because the payer is still owed; and
# DISCORDANT_REPEAT_REQUEST, which says that the number already moved other money.
_REFUND: Final = MappingProxyType(
    dict.fromkeys(
        (
            "ACQ.INVALID_PARAMETER",
            "ACQ.NOT_ALLOW_PARTIAL_REFUND",
            "ACQ.REASON_TRADE_BEEN_FREEZEN",
            "ACQ.REASON_TRADE_REFUND_FEE_ERR",
            "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
            "ACQ.TRADE_NOT_ALLOW_REFUND",
            "ACQ.TRADE_NOT_EXIST",
            "ACQ.TRADE_STATUS_ERROR",
        ),
        Outcome.FAILED,
    )
)

# By method: what a code, or the sub_code beneath 40004, says of the payment or refund itself. A
# question or a close that is refused says nothing of it.
REFUSALS: Final[Mapping[str, Mapping[str, Outcome]]] = MappingProxyType(
    {
        CREATE: _START,
        PRECREATE: _START,
        QUERY: _ABSENT,
        CLOSE: _ABSENT,
        REFUND: _REFUND,
        REFUND_QUERY: _ABSENT,
    }
)


def refusal(method: str, *, code: str, sub_code: str) -> Outcome:
    """Return what a refusal of `method` says of the payment or refund it was about."""
    meanings = REFUSALS[method]
    return meanings.get(sub_code) or meanings.get(code) or Outcome.UNKNOWN


def trade_outcome(status: str, *, paid_at: str) -> Outcome:
    """Return what a trade's state says of its payment.

    A trade that is closed but was paid has been refunded in full: the payment itself succeeded.
    """
    outcome = TRADE_STATES.get(status, Outcome.UNKNOWN)
    return Outcome.SUCCEEDED if outcome is Outcome.CLOSED and paid_at else outcome
