"""Ages and end dates: a guardianship of a minor never outlives the eighteenth birthday."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from payments.kernel.clock import business_date, start_of_business_date
from services.identity.rules.family import (
    LONGEST_CONSENT,
    EndDateInvalid,
    adult_on,
    end_of_guardianship,
    is_minor,
)

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
moments = st.integers(0, 20 * 365 * 86_400).map(
    lambda seconds: EARLIEST + timedelta(seconds=seconds)
)
births = st.dates(date(1930, 1, 1), date(2040, 1, 1))


@pytest.mark.parametrize(
    ("birth", "adult"),
    [
        (date(2008, 11, 24), date(2026, 11, 24)),
        (date(2008, 2, 29), date(2026, 3, 1)),
        (date(2004, 2, 29), date(2022, 3, 1)),
    ],
)
def test_adult_at_eighteen(birth: date, adult: date) -> None:
    assert adult_on(birth) == adult
    assert is_minor(birth, today=adult - timedelta(days=1))
    assert not is_minor(birth, today=adult)


@given(births, moments, st.one_of(st.none(), st.dates(date(2020, 1, 1), date(2060, 1, 1))))
def test_a_guardianship_ends_in_time(birth: date, now: datetime, until: date | None) -> None:
    """Seen to fail with the eighteenth birthday left out of the minimum."""
    today = business_date(now)
    assume(birth <= today)
    try:
        end = end_of_guardianship(birth_date=birth, until=until, now=now)
    except EndDateInvalid:
        assert until is not None
        return
    assert end > now
    if is_minor(birth, today=today):
        assert end <= start_of_business_date(adult_on(birth))
    else:
        assert end <= start_of_business_date(today + LONGEST_CONSENT)
    if until is not None:
        assert end <= start_of_business_date(until + timedelta(days=1))


def test_an_agreed_last_day_counts_whole() -> None:
    now = datetime(2026, 11, 23, 2, tzinfo=UTC)
    end = end_of_guardianship(birth_date=date(1950, 1, 1), until=date(2026, 11, 23), now=now)
    assert end == datetime(2026, 11, 23, 16, tzinfo=UTC)
