"""What can be done to orders, attempts and cases inside somebody's transaction."""

from payments.orders.operations.attempts import (
    OrderNotPayable,
    TooManyAttempts,
    begin_attempt,
    payable,
    record_start,
)
from payments.orders.operations.cases import check_report, open_case
from payments.orders.operations.claims import (
    claim_attempts,
    claim_attempts_of_order,
    claim_orders_to_close,
    reschedule,
)
from payments.orders.operations.closing import (
    OrderPaidAlready,
    attempts_to_close,
    finish_closing,
    start_closing,
)
from payments.orders.operations.locking import lock_order
from payments.orders.operations.placing import OrderDiffers, OrderInvalid, SellerUnknown, place
from payments.orders.operations.refunding import (
    RefundExceeds,
    complete_refund,
    release_refund,
    reserve_refund,
)
from payments.orders.operations.reports import Applied, apply_report

__all__ = [
    "Applied",
    "OrderDiffers",
    "OrderInvalid",
    "OrderNotPayable",
    "OrderPaidAlready",
    "RefundExceeds",
    "SellerUnknown",
    "TooManyAttempts",
    "apply_report",
    "attempts_to_close",
    "begin_attempt",
    "check_report",
    "claim_attempts",
    "claim_attempts_of_order",
    "claim_orders_to_close",
    "complete_refund",
    "finish_closing",
    "lock_order",
    "open_case",
    "payable",
    "place",
    "record_start",
    "release_refund",
    "reschedule",
    "reserve_refund",
    "start_closing",
]
