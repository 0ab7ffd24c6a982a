"""Whatever is sent to a callback address: answered, never believed, never a failure of ours."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.notices import queries
from payments.providers.interface import Outcome
from tests.support.paying import FARE, City

HOSTILE = st.text(max_size=200) | st.sampled_from(["\0", "\ud800", "a" * 5_000, "' OR 1=1", "票"])
SAID = st.fixed_dictionaries(
    {},
    optional={
        "id": HOSTILE,
        "number": HOSTILE,
        "refund_number": HOSTILE,
        "amount_minor": st.integers().filter(lambda amount: amount != FARE),
        "currency": HOSTILE,
        "app_id": HOSTILE,
        "seller_id": HOSTILE,
        "happened_at": HOSTILE,
    },
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.binary(max_size=400), headers=st.dictionaries(HOSTILE, HOSTILE, max_size=4))
def test_garbage_is_refused_and_kept(city: City, body: bytes, headers: dict[str, str]) -> None:
    """Seen to fail when headers were stored without taking out what PostgreSQL cannot hold."""
    assert city.receive(city.alipay, headers, body) is city.alipay.refused


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(said=SAID)
def test_what_is_signed_but_makes_no_sense_pays_nothing(city: City, said: dict[str, Any]) -> None:
    """Seen to fail when a verified report was stored with what PostgreSQL cannot hold."""
    order = city.place()
    attempt = city.start(order)
    wrong = {"outcome": Outcome.SUCCEEDED, "amount_minor": FARE - 1, **said}
    city.notify(attempt, **wrong)
    city.apply()
    assert city.order(order).state == "open"
    with city.database.transaction() as session:
        assert queries.counts(session)["applied"] == 0
