"""What each data file holds, and when it is wrong."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeVar

from payments.kernel.ids import BookId
from services.transit.reference.rows import DataFault, Row, by_id, rows
from services.transit.rules.fares import Section, Tariff
from services.transit.rules.network import (
    Edge,
    Line,
    Network,
    Operator,
    Station,
    neighbours_of,
    shortest_paths,
)
from services.transit.rules.policies import BOUNDS, Dated, Policies, Policy

INTERCHANGE: Final = "interchange"
BOOK_ID: Final = re.compile(r"[0-9A-Z]{6}", re.ASCII)

Version = TypeVar("Version", Network, Tariff)


def networks(folder: Path) -> tuple[Network, ...]:
    """Read every version of the network, oldest first. Raises DataFault."""
    file = folder / "networks.csv"
    found = by_id(
        rows(file, ("version", "effective_from")),
        "version",
        lambda row: _network(folder / "networks" / row.text("version"), row),
    )
    return _oldest_first(file, found.values())


def _network(folder: Path, listed: Row) -> Network:
    operators = by_id(
        rows(folder / "operators.csv", ("operator_id", "book_id", "name_zh", "name_en")),
        "operator_id",
        lambda row: Operator(
            operator_id=row.text("operator_id"),
            book_id=_book_id(row),
            name_zh=row.text("name_zh"),
            name_en=row.text("name_en"),
        ),
    )
    lines = by_id(
        rows(folder / "lines.csv", ("line_id", "operator_id", "mode", "name_zh", "name_en")),
        "line_id",
        lambda row: Line(
            line_id=row.text("line_id"),
            operator_id=row.one_of("operator_id", operators),
            mode=row.text("mode"),
            name_zh=row.text("name_zh"),
            name_en=row.text("name_en"),
        ),
    )
    columns = ("station_id", "line_id", "name_zh", "name_en", "latitude", "longitude")
    stations = by_id(
        rows(folder / "stations.csv", columns),
        "station_id",
        lambda row: Station(
            station_id=row.text("station_id"),
            line_id=row.one_of("line_id", lines),
            name_zh=row.text("name_zh"),
            name_en=row.text("name_en"),
            latitude=row.degrees("latitude", 90),
            longitude=row.degrees("longitude", 180),
        ),
    )
    return Network(
        version=listed.text("version"),
        effective_from=listed.day("effective_from"),
        operators=operators,
        lines=lines,
        stations=stations,
        edges=_edges(folder / "edges.csv", lines, stations),
    )


def _book_id(row: Row) -> BookId:
    code = row.text("book_id")
    if not BOOK_ID.fullmatch(code):
        raise row.fault(f"book_id is not six capital letters or digits: {code!r}")
    return BookId(code)


def _edges(
    file: Path, lines: Mapping[str, Line], stations: Mapping[str, Station]
) -> tuple[Edge, ...]:
    edges: list[Edge] = []
    seen: set[tuple[frozenset[str], str]] = set()
    columns = ("from_station_id", "to_station_id", "line_id", "great_circle_m")
    for row in rows(file, columns):
        line_id = row.one_of("line_id", {**lines, INTERCHANGE: None})
        one = row.one_of("from_station_id", stations)
        other = row.one_of("to_station_id", stations)
        if one == other:
            raise row.fault("an edge joins two stations")
        if (frozenset((one, other)), line_id) in seen:
            raise row.fault("this edge was given before")
        seen.add((frozenset((one, other)), line_id))
        shortest = 0 if line_id == INTERCHANGE else 1
        edges.append(
            Edge(
                from_station_id=one,
                to_station_id=other,
                line_id=None if line_id == INTERCHANGE else line_id,
                great_circle_m=row.number_in("great_circle_m", shortest, 100_000),
            )
        )
    unreached = set(stations) - set(shortest_paths(neighbours_of(edges), next(iter(stations))))
    if unreached:
        raise DataFault(f"{file}, line 1: no track reaches station {min(unreached)}")
    return tuple(edges)


def tariffs(file: Path) -> tuple[Tariff, ...]:
    """Read every version of the distance tariff, oldest first. Raises DataFault."""
    sections: dict[tuple[str, str, date], list[Section]] = defaultdict(list)
    columns = ("tariff_id", "version", "effective_from", "above_m", "unit_m", "fare_minor")
    for row in rows(file, columns):
        known = sections[row.text("tariff_id"), row.text("version"), row.day("effective_from")]
        section = Section(
            above_m=row.number_in("above_m", 0, 1_000_000),
            unit_m=row.number_in("unit_m", 1, 1_000_000),
            fare_minor=row.number_in("fare_minor", 1, 100_000),
        )
        if not known and section.above_m != 0:
            raise row.fault("a tariff's first section begins at 0")
        if known:
            length = section.above_m - known[-1].above_m
            if length <= 0 or length % known[-1].unit_m:
                raise row.fault("a section begins after whole units of the one before")
        known.append(section)
    found = [
        Tariff(
            tariff_id=tariff_id,
            version=version,
            effective_from=effective_from,
            sections=tuple(known),
        )
        for (tariff_id, version, effective_from), known in sections.items()
    ]
    if len({(tariff.tariff_id, tariff.version) for tariff in found}) < len(found):
        raise DataFault(f"{file}, line 1: a version has two dates")
    return _oldest_first(file, found)


def policies(file: Path) -> Policies:
    """Read the dated figures; every policy has one. Raises DataFault."""
    figures: dict[Policy, list[Dated]] = {policy: [] for policy in Policy}
    for row in rows(file, ("policy", "effective_from", "value", "reason")):
        row.text("reason")
        policy = Policy(row.one_of("policy", {each.value: each for each in Policy}))
        dated = Dated(
            effective_from=row.day("effective_from"),
            value=row.number_in("value", *BOUNDS[policy]),
        )
        if figures[policy] and figures[policy][-1].effective_from >= dated.effective_from:
            raise row.fault("a policy's dates ascend")
        figures[policy].append(dated)
    for policy, known in figures.items():
        if not known:
            raise DataFault(f"{file}, line 1: {policy} is missing")
    return Policies(figures={policy: tuple(known) for policy, known in figures.items()})


def _oldest_first(file: Path, versions: Iterable[Version]) -> tuple[Version, ...]:
    ordered = sorted(versions, key=lambda version: version.effective_from)
    for earlier, later in pairwise(ordered):
        if earlier.effective_from == later.effective_from:
            raise DataFault(f"{file}, line 1: two versions begin on {later.effective_from}")
    return tuple(ordered)
