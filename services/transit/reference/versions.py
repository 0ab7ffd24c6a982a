"""Every version of the data, and the one in force on a date.

It is asked by date each time, so a process that runs over midnight changes by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from services.transit.reference import files
from services.transit.rules.fares import Fare, Tariff, single_fare
from services.transit.rules.network import Network
from services.transit.rules.policies import Policies, Policy

DATA: Final = Path(__file__).parents[1] / "data"

Version = TypeVar("Version", Network, Tariff)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Every version of network, tariff and policy."""

    networks: tuple[Network, ...]
    tariffs: tuple[Tariff, ...]
    policies: Policies

    def network(self, *, on: date) -> Network:
        """Return the network in force on a date."""
        return _in_force(self.networks, on)

    def fare(self, from_station: str, to_station: str, *, on: date) -> Fare:
        """Return the fare of a journey on a date. Raises StationUnknown, SameStation."""
        return single_fare(
            self.network(on=on),
            _in_force(self.tariffs, on),
            track_factor=self.policies.value(Policy.TRACK_FACTOR, on=on),
            from_station=from_station,
            to_station=to_station,
        )

    def recompute(self, explanation: Mapping[str, Any]) -> Fare:
        """Return the fare that a stored explanation's inputs and versions lead to today.

        Raises LookupError when a version that fares were charged by is no longer in the data.
        """
        inputs = explanation["inputs"]
        networks = {network.version: network for network in self.networks}
        tariffs = {(tariff.tariff_id, tariff.version): tariff for tariff in self.tariffs}
        return single_fare(
            networks[inputs["network"]],
            tariffs[explanation["rule"], explanation["version"]],
            track_factor=inputs["track_factor"],
            from_station=inputs["from"],
            to_station=inputs["to"],
        )


@cache
def reference() -> Reference:
    """Return the shipped data. Raises DataFault."""
    return read(DATA)


def check() -> None:
    """Stop the boot when the shipped data is wrong."""
    reference()


def read(folder: Path) -> Reference:
    """Read and check a data folder. Raises DataFault."""
    return Reference(
        networks=files.networks(folder),
        tariffs=files.tariffs(folder / "tariffs.csv"),
        policies=files.policies(folder / "policies.csv"),
    )


def _in_force(versions: Sequence[Version], on: date) -> Version:
    """Return the version in force on a date; before the first one, the first."""
    in_force = [version for version in versions if version.effective_from <= on]
    return (in_force or versions[:1])[-1]
