"""Figures that a city decides rather than we: dated integers, each with its bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final


class Policy(StrEnum):
    """The figures that the rules ask for; the unit is the end of the name."""

    TRACK_FACTOR = "track-factor-per-ten-thousand"
    SERVICE_DAY_STARTS = "service-day-starts-minutes"
    PAYMENT_WINDOW = "ticket-payment-window-minutes"
    COLLECTION_DAYS = "ticket-collection-service-days"
    TICKETS_PER_ORDER = "tickets-per-order-count"


BOUNDS: Final[Mapping[Policy, tuple[int, int]]] = {
    Policy.TRACK_FACTOR: (10_000, 20_000),
    Policy.SERVICE_DAY_STARTS: (0, 12 * 60),
    Policy.PAYMENT_WINDOW: (1, 24 * 60),
    Policy.COLLECTION_DAYS: (1, 30),
    Policy.TICKETS_PER_ORDER: (1, 50),
}


@dataclass(frozen=True, kw_only=True)
class Dated:
    """A figure in force from a date until the next one's."""

    effective_from: date
    value: int


@dataclass(frozen=True, kw_only=True)
class Policies:
    """Every policy's figures, oldest first."""

    figures: Mapping[Policy, tuple[Dated, ...]]

    def value(self, policy: Policy, *, on: date) -> int:
        """Return the figure in force on a date; before the first one, the first."""
        figures = self.figures[policy]
        in_force = [figure for figure in figures if figure.effective_from <= on]
        return (in_force or figures[:1])[-1].value
