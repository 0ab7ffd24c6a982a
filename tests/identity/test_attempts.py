"""The limit holds under concurrency, and an IPv6 subscriber is one subscriber."""

from datetime import timedelta
from functools import partial

import pytest

from payments.kernel.clock import FixedClock
from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from services.identity import flows
from services.identity.operations.attempts import TooManyAttempts
from services.identity.rules.attempts import Limit, subscriber_of
from tests.identity.people import at_once

LIMIT = Limit(action="test", tries=3, window=timedelta(minutes=1))


def test_no_more_than_the_limit_passes_however_many_try_at_once(
    fresh_database: Database, vault: Vault, clock: FixedClock
) -> None:
    """Seen to fail with the count read first and written afterwards."""
    attempt = partial(
        flows.try_once, fresh_database, limit=LIMIT, who="x", vault=vault, clock=clock
    )
    results = at_once(*[attempt] * 10)
    assert results.count(None) == LIMIT.tries
    assert sum(isinstance(result, TooManyAttempts) for result in results) == 7


def test_a_window_starts_with_its_first_attempt_and_ends(
    database: Database, vault: Vault, clock: FixedClock
) -> None:
    attempt = partial(flows.try_once, database, limit=LIMIT, who="x", vault=vault, clock=clock)
    for _ in range(LIMIT.tries):
        attempt()
        clock.advance(timedelta(seconds=15))
    with pytest.raises(TooManyAttempts):
        attempt()
    clock.advance(timedelta(seconds=15))
    for _ in range(LIMIT.tries):
        attempt()
    with pytest.raises(TooManyAttempts):
        attempt()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("", "unix:", False),
    ],
)
def test_who_is_one_subscriber(one: str, other: str, same: bool) -> None:  # noqa: FBT001  a table
    assert (subscriber_of(one) == subscriber_of(other)) is same
