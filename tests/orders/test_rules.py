"""The tables of orders and attempts: reports commute, and a success is never forgotten."""

from datetime import UTC, datetime
from itertools import pairwise, permutations

import pytest

from payments.kernel.states import TransitionRefused
from payments.orders import rules
from payments.orders.rules import ATTEMPT, ORDER, AttemptEvent, AttemptState, OrderEvent, OrderState


def after(*events: AttemptEvent) -> AttemptState:
    state = AttemptState.STARTED
    for event in events:
        state = ATTEMPT.next(state, event)
    return state


def test_what_is_heard_of_an_attempt_may_come_in_any_order() -> None:
    """Seen to fail when (cancelled, fail) was made to lead to failed."""
    for events in permutations(AttemptEvent, 4):
        assert len({after(*order) for order in permutations(events)}) == 1


def test_what_is_heard_twice_changes_nothing() -> None:
    for state in AttemptState:
        for event in AttemptEvent:
            once = ATTEMPT.next(state, event)
            assert ATTEMPT.next(once, event) == once


def test_success_is_above_everything() -> None:
    for state in AttemptState:
        assert ATTEMPT.next(state, AttemptEvent.SUCCEED) == AttemptState.SUCCEEDED
    for event in AttemptEvent:
        assert ATTEMPT.next(AttemptState.SUCCEEDED, event) == AttemptState.SUCCEEDED


def test_silence_is_unknown_and_never_failure() -> None:
    assert after(AttemptEvent.SILENCE) == AttemptState.UNKNOWN
    assert AttemptState.UNKNOWN in rules.LIVE


def test_a_paid_order_stays_paid_and_a_closed_one_closed() -> None:
    assert ORDER.next(OrderState.PAID, OrderEvent.PAY) == OrderState.PAID
    assert ORDER.next(OrderState.CLOSED, OrderEvent.PAY) == OrderState.CLOSED
    with pytest.raises(TransitionRefused):
        ORDER.next(OrderState.PAID, OrderEvent.CLOSE)


def test_questions_are_asked_ever_more_slowly_and_never_cease() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    waits = [rules.next_query_at(asked, now) - now for asked in range(40)]
    assert all(one <= next_one for one, next_one in pairwise(waits))
    assert waits[-1] == rules.QUERY_DELAYS[-1]
