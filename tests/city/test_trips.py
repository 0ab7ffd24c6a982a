"""Every behaviour comes, in its share, and leads to its end."""

from collections import Counter

import pytest

from simulator.city.flows import Journey
from simulator.city.trips import ENDS, SHARES, Behaviour, End, plan

JOURNEYS = [Journey(slot=n // 5, from_station="0", to_station="5") for n in range(500)]


def test_shares_are_a_whole() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    assert set(SHARES) == set(ENDS) == set(Behaviour)


def test_behaviours_come_in_their_shares() -> None:
    counted = Counter(trip.behaviour for trip in plan(JOURNEYS, seed=1))
    for behaviour, share in SHARES.items():
        assert abs(counted[behaviour] - share * 500) <= 2


def test_the_rare_ones_come_twice_even_on_a_quiet_day() -> None:
    counted = Counter(trip.behaviour for trip in plan(JOURNEYS[:30], seed=1))
    assert all(counted[behaviour] >= 2 for behaviour in Behaviour)


def test_a_seed_is_a_plan() -> None:
    assert plan(JOURNEYS, seed=3) == plan(JOURNEYS, seed=3)
    assert plan(JOURNEYS, seed=3) != plan(JOURNEYS, seed=4)


@pytest.mark.parametrize("behaviour", list(Behaviour))
def test_a_trip_has_ended_when_its_ticket_is_where_the_behaviour_leads(
    behaviour: Behaviour,
) -> None:
    trip = plan(JOURNEYS[:1], seed=1)[0]
    trip.behaviour = behaviour
    ended = [trip.ended]
    for state in End:
        trip.ticket = {"state": state}
        ended.append(trip.ended)
    assert ended == [False, *(state is ENDS[behaviour] for state in End)]
