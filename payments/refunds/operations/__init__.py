"""What can be done to refunds inside somebody's transaction."""

from payments.refunds.operations.claims import Claimed, claim_due
from payments.refunds.operations.reports import Applied, apply_report, reschedule
from payments.refunds.operations.requests import (
    RefundDiffers,
    RefundInvalid,
    SameApprover,
    approve,
    refuse,
    request,
    return_surplus,
)

__all__ = [
    "Applied",
    "Claimed",
    "RefundDiffers",
    "RefundInvalid",
    "SameApprover",
    "apply_report",
    "approve",
    "claim_due",
    "refuse",
    "request",
    "reschedule",
    "return_surplus",
]
