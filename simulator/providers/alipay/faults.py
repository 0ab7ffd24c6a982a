"""Faults on demand: asked for through the control API, each happens a counted number of times."""

import threading
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class FaultName(StrEnum):
    """What can be made to go wrong. The first group is about notices, the second about answers."""

    DUPLICATE_NOTICE = "duplicate_notice"
    LATE_NOTICE = "late_notice"
    REORDERED_NOTICE = "reordered_notice"
    LOST_NOTICE = "lost_notice"
    TAMPERED_BYTE = "tampered_byte"
    BAD_SIGNATURE = "bad_signature"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_APP_ID = "wrong_app_id"
    WRONG_SELLER = "wrong_seller"

    NOTICE_BEFORE_ANSWER = "notice_before_answer"
    LOST_ANSWER = "lost_answer"
    SYSTEM_ERROR = "system_error"
    BAD_ANSWER_SIGNATURE = "bad_answer_signature"
    REFUND_NOT_CHANGED = "refund_not_changed"


NOTICE_FAULTS = frozenset(list(FaultName)[:9])


@dataclass(kw_only=True)
class Fault:
    """A fault waiting to happen. An empty `out_trade_no` or `method` matches every one."""

    name: FaultName
    out_trade_no: str = ""
    method: str = ""
    times: int = 1
    delay: timedelta = timedelta(minutes=5)

    def matches(self, *, out_trade_no: str, method: str) -> bool:
        """Say whether the fault is meant for this trade and method."""
        return self.out_trade_no in {"", out_trade_no} and self.method in {"", method}


class Faults:
    """The faults still to happen, in the order they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def ask(self, fault: Fault) -> None:
        """Add a fault."""
        with self._lock:
            self._waiting.append(fault)

    def take(self, *names: FaultName, out_trade_no: str = "", method: str = "") -> Fault | None:
        """Use up one of the first matching fault and return it."""
        with self._lock:
            for fault in self._waiting:
                if fault.name in names and fault.matches(out_trade_no=out_trade_no, method=method):
                    fault.times -= 1
                    if fault.times == 0:
                        self._waiting.remove(fault)
                    return fault
        return None

    def waiting(self) -> list[Fault]:
        """Return what has not happened yet."""
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._waiting.clear()
