"""Paying, asking and closing: transaction, network, transaction; silence is unknown.

A flow may be killed anywhere. Whatever it was about to record is still due, and a sweep asks the
provider what became of it.
"""

from payments.orders.flows.closing import cancel, close_expired
from payments.orders.flows.paying import look, start_payment
from payments.orders.flows.settling import settle_unknown

__all__ = ["cancel", "close_expired", "look", "settle_unknown", "start_payment"]
