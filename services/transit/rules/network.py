"""Operators, lines, stations and the track between them; the distance of a pair of stations.

The distance of a journey is that of the shortest path through the network, interchanges included:
whoever rides a longer way pays no more.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from payments.kernel.errors import NotFound
from payments.kernel.ids import BookId


class StationUnknown(NotFound):
    """There is no such station in the network in force."""

    code = "transit-station-unknown"
    zh = "没有这个车站"
    en = "There is no such station"


@dataclass(frozen=True, kw_only=True)
class Operator:
    """A company that runs lines; its income is kept in its own book."""

    operator_id: str
    book_id: BookId
    name_zh: str
    name_en: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of one operator; `mode` is "metro" so far."""

    line_id: str
    operator_id: str
    mode: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, kw_only=True)
class Station:
    """A station; where lines meet it may be one, or two joined by an interchange."""

    station_id: str
    line_id: str
    name_zh: str
    name_en: str
    latitude: float
    longitude: float


@dataclass(frozen=True, kw_only=True)
class Edge:
    """Track between neighbours, the same length both ways; `line_id` is None for an interchange."""

    from_station_id: str
    to_station_id: str
    line_id: str | None
    great_circle_m: int


@dataclass(frozen=True, kw_only=True)
class Network:
    """One version of the network, in force from a date until the next version's."""

    version: str
    effective_from: date
    operators: Mapping[str, Operator]
    lines: Mapping[str, Line]
    stations: Mapping[str, Station]
    edges: tuple[Edge, ...]

    def operator_of(self, station_id: str) -> Operator:
        """Return who runs the line a station is counted to."""
        return self.operators[self.lines[self.station(station_id).line_id].operator_id]

    def station(self, station_id: str) -> Station:
        """Return a station. Raises StationUnknown."""
        try:
            return self.stations[station_id]
        except KeyError:
            raise StationUnknown from None

    def lines_at(self, station_id: str) -> tuple[str, ...]:
        """Return the lines that stop at a station, its own first."""
        own = self.station(station_id).line_id
        met = {
            edge.line_id
            for edge in self.edges
            if edge.line_id and station_id in {edge.from_station_id, edge.to_station_id}
        }
        return (own, *sorted(met - {own}))

    def great_circle_m(self, from_station_id: str, to_station_id: str) -> int:
        """Return the metres of the shortest path, each edge measured as the crow flies."""
        self.station(from_station_id)
        self.station(to_station_id)
        return self.distances[from_station_id][to_station_id]

    @cached_property
    def distances(self) -> Mapping[str, Mapping[str, int]]:
        """The distance table: metres of the shortest path from each station to each reachable."""
        neighbours = neighbours_of(self.edges)
        return {station: shortest_paths(neighbours, station) for station in self.stations}


def neighbours_of(edges: Iterable[Edge]) -> Mapping[str, Mapping[str, int]]:
    """Return for each station its neighbours and the shortest edge to each, in metres."""
    neighbours: dict[str, dict[str, int]] = {}
    for edge in edges:
        for one, other in (
            (edge.from_station_id, edge.to_station_id),
            (edge.to_station_id, edge.from_station_id),
        ):
            known = neighbours.setdefault(one, {})
            known[other] = min(edge.great_circle_m, known.get(other, edge.great_circle_m))
    return neighbours


def shortest_paths(neighbours: Mapping[str, Mapping[str, int]], start: str) -> Mapping[str, int]:
    """Return the metres of the shortest path from `start` to every station it reaches."""
    settled: dict[str, int] = {}
    frontier = [(0, start)]
    while frontier:
        metres, station = heapq.heappop(frontier)
        if station in settled:
            continue
        settled[station] = metres
        for neighbour, length in neighbours.get(station, {}).items():
            if neighbour not in settled:
                heapq.heappush(frontier, (metres + length, neighbour))
    return settled
