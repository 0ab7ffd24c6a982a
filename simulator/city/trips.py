"""Who rides when, from where to where, and how each buys a ticket: most well, some badly."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from simulator.city.flows import Journey

GROUP_SHARE: Final = 0.08  # Of buyers; they take two to four tickets at once.
TRIPS_PER_CITIZEN: Final = 1.6


class Behaviour(StrEnum):
    """What a citizen does with a ticket."""

    COLLECTS = "collects"
    FORGETS = "forgets"
    GIVES_BACK = "gives back"
    NEVER_PAYS = "never pays"
    PAYS_LATE = "pays late"
    PAYS_TWICE = "pays twice"


class End(StrEnum):
    """The state a ticket ends in, in the platform's words."""

    COLLECTED = "collected"
    REFUNDED = "refunded"
    LAPSED = "lapsed"


SHARES: Final[Mapping[Behaviour, float]] = MappingProxyType(
    {
        Behaviour.COLLECTS: 0.86,
        Behaviour.FORGETS: 0.04,
        Behaviour.GIVES_BACK: 0.03,
        Behaviour.NEVER_PAYS: 0.03,
        Behaviour.PAYS_LATE: 0.02,
        Behaviour.PAYS_TWICE: 0.02,
    }
)
ENDS: Final[Mapping[Behaviour, End]] = MappingProxyType(
    {
        Behaviour.COLLECTS: End.COLLECTED,
        Behaviour.FORGETS: End.REFUNDED,
        Behaviour.GIVES_BACK: End.REFUNDED,
        Behaviour.NEVER_PAYS: End.LAPSED,
        Behaviour.PAYS_LATE: End.LAPSED,
        Behaviour.PAYS_TWICE: End.COLLECTED,
    }
)
FEWEST_OF_EACH: Final = 2


@dataclass(kw_only=True)
class Trip:
    """One purchase. `ticket` is what the platform last said of it; payments are trade numbers."""

    journey: Journey
    citizen: int
    behaviour: Behaviour
    count: int
    ticket: Mapping[str, Any] = field(default_factory=dict)
    payments: list[str] = field(default_factory=list)

    @property
    def amount_minor(self) -> int:
        """What all its journeys cost, in fen."""
        return int(self.ticket["amount_minor"])

    @property
    def ended(self) -> bool:
        """Whether its ticket is where the behaviour leads."""
        return bool(self.ticket) and self.ticket["state"] == ENDS[self.behaviour]


def plan(journeys: Sequence[Journey], *, seed: int) -> list[Trip]:
    """Return a trip for each journey, in its order; every behaviour comes twice at least."""
    randomness = random.Random(seed)
    behaviours = _behaviours(len(journeys), randomness)
    citizens = max(1, int(len(journeys) / TRIPS_PER_CITIZEN))
    return [
        Trip(
            journey=journey,
            citizen=randomness.randrange(citizens),
            behaviour=behaviour,
            count=randomness.randint(2, 4) if randomness.random() < GROUP_SHARE else 1,
        )
        for journey, behaviour in zip(journeys, behaviours, strict=True)
    ]


def _behaviours(number: int, randomness: random.Random) -> list[Behaviour]:
    """Return shuffled behaviours in their shares; whoever is left over collects."""
    rare: Counter[Behaviour] = Counter(
        {
            behaviour: max(FEWEST_OF_EACH, round(share * number))
            for behaviour, share in SHARES.items()
            if behaviour is not Behaviour.COLLECTS
        }
    )
    chosen: list[Behaviour] = list(rare.elements())[:number]
    chosen += [Behaviour.COLLECTS] * (number - len(chosen))
    randomness.shuffle(chosen)
    return chosen
