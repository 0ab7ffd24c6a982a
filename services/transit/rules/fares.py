"""The fare engine: a pure function from versioned inputs to a fare and the reasons for it.

A fare is recomputed from what its explanation stores: the versions of rule and network, and the
inputs. Nothing else enters it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from payments.kernel.errors import Invalid
from payments.kernel.money import CNY
from services.transit.rules.network import Network

WHOLE_TRACK_FACTOR: Final = 10_000  # A track factor is in ten-thousandths.


class SameStation(Invalid):
    """A ticket from a station to itself, or to the other half of an interchange, goes nowhere."""

    code = "transit-same-station"
    zh = "起点和终点不能是同一车站"
    en = "Start and destination are the same station"


@dataclass(frozen=True, kw_only=True)
class Section:
    """A stretch of the tariff: `fare_minor` fen a started `unit_m` metres above `above_m`."""

    above_m: int
    unit_m: int
    fare_minor: int


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """One version of a distance tariff, in force from a date until the next version's."""

    tariff_id: str
    version: str
    effective_from: date
    sections: tuple[Section, ...]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the reckoning: what was done (`name`), with which figures, and what came out."""

    name: str
    figures: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a fare is what it is: the rule and its version, the inputs, the steps in their order."""

    rule: str
    version: str
    inputs: Mapping[str, str | int]
    steps: tuple[Step, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the explanation as it is stored and shown."""
        return {
            "rule": self.rule,
            "version": self.version,
            "inputs": dict(self.inputs),
            "steps": [{"name": step.name, "figures": dict(step.figures)} for step in self.steps],
        }


@dataclass(frozen=True, kw_only=True)
class Fare:
    """What one adult pays for one journey, in fen, and why."""

    amount_minor: int
    distance_m: int
    explanation: Explanation
    currency: str = CNY


def single_fare(
    network: Network, tariff: Tariff, *, track_factor: int, from_station: str, to_station: str
) -> Fare:
    """Return the fare of one journey between two stations.

    `track_factor` is the ratio of track to great circle in ten-thousandths. Raises StationUnknown
    and SameStation. Source of the tariff: the fare notice of Hangzhou metro line 4.
    """
    great_circle_m = network.great_circle_m(from_station, to_station)
    if great_circle_m == 0:
        raise SameStation
    distance_m = track_metres(great_circle_m, track_factor)
    amount_minor, sections = distance_fare(tariff, distance_m)
    steps = (
        Step(name="shortest-path", figures={"great_circle_m": great_circle_m}),
        Step(
            name="track-factor",
            figures={"per_ten_thousand": track_factor, "distance_m": distance_m},
        ),
        *sections,
        Step(name="fare", figures={"fare_minor": amount_minor}),
    )
    inputs: Mapping[str, str | int] = {
        "network": network.version,
        "from": from_station,
        "to": to_station,
        "track_factor": track_factor,
    }
    return Fare(
        amount_minor=amount_minor,
        distance_m=distance_m,
        explanation=Explanation(
            rule=tariff.tariff_id, version=tariff.version, inputs=inputs, steps=steps
        ),
    )


def track_metres(great_circle_m: int, track_factor: int) -> int:
    """Return metres of track for metres of great circle, half a metre rounded up."""
    return (great_circle_m * track_factor + WHOLE_TRACK_FACTOR // 2) // WHOLE_TRACK_FACTOR


def distance_fare(tariff: Tariff, distance_m: int) -> tuple[int, tuple[Step, ...]]:
    """Return the fen for a distance above zero, and a step for each section ridden into."""
    assert distance_m > 0, "a journey has a length"
    total_minor = 0
    steps: list[Step] = []
    ends = [*(section.above_m for section in tariff.sections[1:]), None]
    for section, end_m in zip(tariff.sections, ends, strict=True):
        if distance_m <= section.above_m:
            break
        ridden_m = (distance_m if end_m is None else min(distance_m, end_m)) - section.above_m
        units = -(-ridden_m // section.unit_m)  # Every started unit counts.
        total_minor += units * section.fare_minor
        steps.append(
            Step(
                name="section",
                figures={
                    "above_m": section.above_m,
                    "unit_m": section.unit_m,
                    "units": units,
                    "fare_minor": units * section.fare_minor,
                },
            )
        )
    return total_minor, tuple(steps)
