"""Journeys that follow the real station flows of one day, at any scale.

The records count people entering and leaving each station in each ten minutes; they do not say who
went where. We pair them so that both counts stay true at scale:

1. Entries and exits are each sampled evenly along the day (one of every `scale`, from a seeded
   start), so that every station and hour keeps its share.
2. The k-th to enter leaves as the k-th: people leave in the order they came. The pairing is then
   shuffled among those entering within half an hour, since the network is no single queue.
3. Whoever would leave where they entered changes places with the nearest who can take it.

So the flows at the gates are real; who rode from where to where is only plausible.
"""

import csv
import gzip
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parent / "data"
WEEKDAY: Final = DATA / "flows-2019-01-07.csv.gz"
SLOT_MINUTES: Final = 10
SHUFFLED_SLOTS: Final = 3
SLOTS_PER_HOUR: Final = 6
LAST_HOUR: Final = 23


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many entered and left a station in one ten minutes of the day."""

    station_id: str
    slot: int
    entries: int
    exits: int


@dataclass(frozen=True, kw_only=True)
class Journey:
    """One person enters a station in a slot and wants to leave at another."""

    slot: int
    from_station: str
    to_station: str


def read_counts(file: Path = WEEKDAY) -> list[Count]:
    """Read a day's counts, ordered by slot and station.

    The published column holds the ten minutes within the hour (0 to 5); the hour was lost. But a
    station's rows stand in the order of the day, and the last trains leave after 23:00, so the
    hours are counted back from there: one less whenever the ten minutes do not go down.
    """
    stations: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    with gzip.open(file, "rt", encoding="utf-8") as text:
        for row in csv.DictReader(text):
            stations[row["station_id"]].append(
                (int(row["ten_minute_of_day"]), int(row["entries"]), int(row["exits"]))
            )
    counts: list[Count] = []
    for station_id, rows in stations.items():
        hour, later = LAST_HOUR, SLOTS_PER_HOUR
        for ten_minute, entries, exits in reversed(rows):
            hour -= ten_minute >= later
            later = ten_minute
            slot = hour * SLOTS_PER_HOUR + ten_minute
            counts.append(Count(station_id=station_id, slot=slot, entries=entries, exits=exits))
    return sorted(counts, key=lambda count: (count.slot, int(count.station_id)))


def journeys(
    counts: Sequence[Count],
    *,
    scale: int,
    seed: int,
    same_place: Callable[[str, str], bool],
) -> list[Journey]:
    """Return one journey of every `scale` people who entered, in the order of entering.

    `same_place` tells whether two stations are one place, between which nobody buys a ticket.
    """
    randomness = random.Random(seed)
    entering = [(count, count.entries) for count in counts if count.entries]
    leaving = [(count, count.exits) for count in counts if count.exits]
    number = sum(people for _, people in entering) // scale
    entries = _sample(entering, number, randomness)
    exits = _sample(leaving, number, randomness)
    _shuffle(entries, exits, randomness)
    destinations = [count.station_id for count in exits]
    _part(entries, destinations, same_place)
    return [
        Journey(slot=entry.slot, from_station=entry.station_id, to_station=destination)
        for entry, destination in zip(entries, destinations, strict=True)
        if not same_place(entry.station_id, destination)
    ]


def _sample(
    counted: Sequence[tuple[Count, int]], number: int, randomness: random.Random
) -> list[Count]:
    """Return `number` counts, one for every equal share of the people along the day."""
    total = sum(people for _, people in counted)
    offset = randomness.random()
    picked: list[Count] = []
    passed = 0
    for count, people in counted:
        passed += people
        while len(picked) < number and (len(picked) + offset) * total < passed * number:
            picked.append(count)
    return picked


def _shuffle(entries: Sequence[Count], exits: list[Count], randomness: random.Random) -> None:
    start = 0
    for end in range(1, len(entries) + 1):
        if end == len(entries) or entries[end].slot - entries[start].slot >= SHUFFLED_SLOTS:
            window = exits[start:end]
            randomness.shuffle(window)
            exits[start:end] = window
            start = end


def _part(
    entries: Sequence[Count], destinations: list[str], same_place: Callable[[str, str], bool]
) -> None:
    """Exchange destinations until nobody leaves where they entered, as far as that is possible."""
    for here, entry in enumerate(entries):
        if not same_place(entry.station_id, destinations[here]):
            continue
        for there in _outwards(here, len(entries)):
            if not same_place(entry.station_id, destinations[there]) and not same_place(
                entries[there].station_id, destinations[here]
            ):
                destinations[here], destinations[there] = destinations[there], destinations[here]
                break


def _outwards(start: int, length: int) -> Iterator[int]:
    """Yield every other index, the nearest first."""
    for step in range(1, length):
        if start >= step:
            yield start - step
        if start + step < length:
            yield start + step
