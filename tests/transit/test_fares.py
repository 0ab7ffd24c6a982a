"""The distance fare of the Line 4 notice, its boundaries, and the reasons it gives."""

from datetime import date

import pytest

from services.transit.reference.versions import reference
from services.transit.rules.fares import SameStation, distance_fare, track_metres
from services.transit.rules.network import StationUnknown

DAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("kilometres_times_100", "yuan"),
    [
        (1, 2),
        (400, 2),
        (401, 3),
        (800, 3),
        (801, 4),
        (965, 4),
        (1200, 4),
        (1201, 5),
        (1800, 5),
        (1801, 6),
        (2400, 6),
        (2401, 7),
        (3200, 7),
        (3201, 8),
        (4000, 8),
        (4001, 9),
        (4800, 9),
        (4801, 10),
        (5600, 10),
        (5601, 11),
    ],
)
def test_every_boundary_of_the_notice(kilometres_times_100: int, yuan: int) -> None:
    (tariff,) = reference().tariffs
    fare, _ = distance_fare(tariff, kilometres_times_100 * 10)
    assert fare == yuan * 100


def test_the_boundaries_hold_to_the_metre() -> None:
    (tariff,) = reference().tariffs
    fares = [distance_fare(tariff, metres)[0] for metres in (4_000, 4_001, 24_000, 24_001)]
    assert fares == [200, 300, 600, 700]


def test_a_longer_way_never_costs_less() -> None:
    (tariff,) = reference().tariffs
    fares = [distance_fare(tariff, metres)[0] for metres in range(1, 80_000, 137)]
    assert fares == sorted(fares)


def test_line_4_of_the_notice_is_as_long_and_costs_as_much_as_it_says() -> None:
    fare = reference().fare("5", "16", on=DAY)
    assert (fare.distance_m, fare.amount_minor) == (9_650, 400)


def test_a_fare_says_why() -> None:
    fare = reference().fare("5", "16", on=DAY)
    assert fare.explanation.as_json() == {
        "rule": "hangzhou-metro-distance",
        "version": "1",
        "inputs": {"network": "2019-01", "from": "5", "to": "16", "track_factor": 10_976},
        "steps": [
            {"name": "shortest-path", "figures": {"great_circle_m": 8_792}},
            {"name": "track-factor", "figures": {"per_ten_thousand": 10_976, "distance_m": 9_650}},
            {
                "name": "section",
                "figures": {"above_m": 0, "unit_m": 4_000, "units": 1, "fare_minor": 200},
            },
            {
                "name": "section",
                "figures": {"above_m": 4_000, "unit_m": 4_000, "units": 2, "fare_minor": 200},
            },
            {"name": "fare", "figures": {"fare_minor": 400}},
        ],
    }


def test_every_pair_is_recomputed_from_what_its_explanation_stores() -> None:
    data = reference()
    stations = list(data.network(on=DAY).stations)
    for start in stations[::7]:
        for end in stations:
            if data.network(on=DAY).great_circle_m(start, end):
                fare = data.fare(start, end, on=DAY)
                assert data.recompute(fare.explanation.as_json()) == fare


def test_there_and_back_cost_the_same() -> None:
    data = reference()
    for start, end in (("0", "33"), ("34", "66"), ("67", "27")):
        assert (
            data.fare(start, end, on=DAY).amount_minor == data.fare(end, start, on=DAY).amount_minor
        )


@pytest.mark.parametrize(("start", "end"), [("0", "0"), ("10", "51")])
def test_a_journey_goes_somewhere(start: str, end: str) -> None:
    with pytest.raises(SameStation):
        reference().fare(start, end, on=DAY)


@pytest.mark.parametrize(("start", "end"), [("0", "999"), ("999", "0"), ("", "0")])
def test_an_unknown_station_is_refused(start: str, end: str) -> None:
    with pytest.raises(StationUnknown):
        reference().fare(start, end, on=DAY)


def test_half_a_metre_is_rounded_up() -> None:
    assert [track_metres(metres, 15_000) for metres in (1, 2, 3)] == [2, 3, 5]
