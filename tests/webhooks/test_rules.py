from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.webhooks import rules
from payments.webhooks.rules import SCHEDULE, Answered

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def due(failures: int, scatter: float, wait: timedelta | None = None) -> datetime | None:
    return rules.due_again(failures=failures, now=NOW, scatter=scatter, retry_after=wait)


def test_the_schedule_lasts_about_three_days_and_never_shortens() -> None:
    assert timedelta(days=2, hours=20) < sum(SCHEDULE, timedelta()) < timedelta(days=3, hours=4)
    assert all(earlier <= later for earlier, later in pairwise(SCHEDULE))
    assert due(len(SCHEDULE) + 1, 0) is None


@given(st.integers(1, len(SCHEDULE)), st.floats(-1, 1))
def test_waits_scatter_within_a_fifth(failures: int, scatter: float) -> None:
    moment = due(failures, scatter)
    assert moment is not None
    wait = SCHEDULE[failures - 1]
    assert wait * 0.8 <= moment - NOW <= wait * 1.2


def test_an_endpoint_may_ask_for_a_longer_wait_but_not_for_a_shorter_one() -> None:
    assert due(1, 0, timedelta(minutes=7)) == NOW + timedelta(minutes=7)
    assert due(5, 0, timedelta(seconds=1)) == NOW + SCHEDULE[4]


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (503, "120", timedelta(minutes=2)),
        (429, " 120 ", timedelta(minutes=2)),
        (503, "Mon, 23 Nov 2026 02:01:00 GMT", timedelta(minutes=1)),
        (503, "Mon, 23 Nov 2026 01:00:00 GMT", timedelta()),
        (503, "999999999999999999999", rules.LONGEST_RETRY_AFTER),
        (503, "soon", None),
        (503, "-5", None),
        (503, "Mon, 23 Nov 2026 02:01:00", None),
        (503, "", None),
        (500, "120", None),
        (200, "120", None),
    ],
)
def test_retry_after(status: int, text: str, expected: timedelta | None) -> None:
    assert rules.retry_after({"Retry-After": text}, status=status, now=NOW) == expected


@given(st.text(max_size=40))
def test_no_retry_after_is_an_accident(text: str) -> None:
    wait = rules.retry_after({"Retry-After": text}, status=503, now=NOW)
    assert wait is None or timedelta() <= wait <= rules.LONGEST_RETRY_AFTER


@pytest.mark.parametrize(
    ("status", "succeeded", "gone"),
    [
        (200, True, False),
        (204, True, False),
        (299, True, False),
        (302, False, False),
        (404, False, False),
        (410, False, True),
        (500, False, False),
        (None, False, False),
    ],
)
def test_what_an_answer_means(status: int | None, *, succeeded: bool, gone: bool) -> None:
    answered = Answered(status=status)
    assert answered.succeeded is succeeded
    assert answered.gone is gone


def test_a_failing_endpoint_is_left_alone_longer_and_longer() -> None:
    holds = [rules.hold(failures=failures, retry_after=None) for failures in range(1, 40)]
    assert holds[:4] == [timedelta()] * 4
    assert holds[4] == rules.SHORTEST_HOLD
    assert holds[-1] == rules.LONGEST_HOLD
    assert rules.hold(failures=1, retry_after=timedelta(hours=1)) == timedelta(hours=1)
