"""What a bench says: figures, and the aims they are held to."""

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Aim:
    """One aim: `what` is measured, `aim` the floor or ceiling in words, `met` whether it held."""

    what: str
    aim: str
    measured: float
    met: bool


@dataclass(frozen=True, kw_only=True)
class Report:
    """The figures of one run, by name with the unit at the end, and the aims they are held to."""

    name: str
    figures: Mapping[str, float]
    aims: tuple[Aim, ...]
    environment: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the report in the shape every bench prints."""
        return asdict(self)


def environment(**more: Any) -> dict[str, Any]:
    """Describe the machine without naming it."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        **more,
    }
