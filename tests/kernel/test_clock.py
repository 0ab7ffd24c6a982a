from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from payments.kernel.clock import (
    ClockFileUnreadable,
    FixedClock,
    OffsetClock,
    SystemClock,
    business_date,
    monotonic_seconds,
    start_of_business_date,
)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 22, 15, 59, 59, 999999, UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 0, 30, tzinfo=timezone(timedelta(hours=8))), date(2026, 11, 23)),
        (datetime(2028, 2, 28, 16, 0, tzinfo=UTC), date(2028, 2, 29)),
        (datetime(1986, 5, 4, 15, 30, tzinfo=UTC), date(1986, 5, 5)),  # Shanghai kept summer time.
    ],
)
def test_a_business_date_begins_at_midnight_in_shanghai(moment: datetime, day: date) -> None:
    assert business_date(moment) == day
    assert start_of_business_date(day) <= moment < start_of_business_date(day + timedelta(days=1))


def test_the_start_of_a_business_date_is_utc() -> None:
    start = start_of_business_date(date(2026, 11, 23))
    assert (start, start.tzinfo) == (datetime(2026, 11, 22, 16, tzinfo=UTC), UTC)


def test_a_fixed_clock_moves_when_told_to_and_speaks_utc() -> None:
    clock = FixedClock(datetime(2026, 11, 23, 10, tzinfo=timezone(timedelta(hours=8))))
    clock.advance(timedelta(minutes=5))
    assert clock.now() == datetime(2026, 11, 23, 2, 5, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_an_offset_clock_follows_its_file(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    for offset in (0, 86_400, -3_600):
        file.write_text(f"{offset}\n", "ascii")
        before = SystemClock().now()
        told = OffsetClock(file).now() - timedelta(seconds=offset)
        assert before <= told <= SystemClock().now()


@pytest.mark.parametrize("content", [None, b"", b"soon", b"1.5", "１２时".encode(), b"9" * 30])
def test_an_unreadable_clock_file_is_told_in_a_sentence(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "offset"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ClockFileUnreadable, match="offset must hold a whole number of seconds"):
        OffsetClock(file).now()


def test_measured_time_does_not_go_back() -> None:
    assert monotonic_seconds() <= monotonic_seconds()
