"""The shortest path decides the distance of a journey."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transit.reference.versions import reference
from services.transit.rules.network import Edge, neighbours_of, shortest_paths

NETWORK = reference().network(on=date(2026, 11, 23))


def edge(one: str, other: str, metres: int) -> Edge:
    return Edge(from_station_id=one, to_station_id=other, line_id="1", great_circle_m=metres)


def test_the_shorter_of_two_ways_counts() -> None:
    triangle = neighbours_of([edge("a", "b", 10), edge("b", "c", 10), edge("a", "c", 25)])
    assert shortest_paths(triangle, "a") == {"a": 0, "b": 10, "c": 20}


def test_of_two_tracks_between_neighbours_the_shorter_counts() -> None:
    assert shortest_paths(neighbours_of([edge("a", "b", 10), edge("b", "a", 7)]), "a")["b"] == 7


def test_an_interchange_costs_no_distance() -> None:
    assert NETWORK.great_circle_m("10", "51") == 0
    assert NETWORK.great_circle_m("9", "51") == NETWORK.great_circle_m("9", "10")


def test_a_station_names_the_lines_that_stop_there() -> None:
    assert NETWORK.lines_at("15") == ("1", "4")
    assert NETWORK.lines_at("46") == ("2", "4")
    assert NETWORK.lines_at("0") == ("1",)


def test_81_stations_reach_each_other() -> None:
    assert len(NETWORK.stations) == 81
    assert {len(row) for row in NETWORK.distances.values()} == {81}


def test_the_income_goes_to_the_operators_book() -> None:
    assert NETWORK.operator_of("0").book_id == "HZMTRO"


@pytest.mark.parametrize("via", ["5", "10", "15", "46"])
def test_no_way_round_is_shorter(via: str) -> None:
    distances = NETWORK.distances
    for start in NETWORK.stations:
        for end in NETWORK.stations:
            assert distances[start][end] <= distances[start][via] + distances[via][end]


@given(
    st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(1, 50)), min_size=1, max_size=20
    )
)
def test_the_distance_table_is_symmetric(edges: list[tuple[int, int, int]]) -> None:
    neighbours = neighbours_of([edge(str(a), str(b), metres) for a, b, metres in edges])
    tables = {station: shortest_paths(neighbours, station) for station in neighbours}
    for start, row in tables.items():
        for end, metres in row.items():
            assert tables[end][start] == metres
