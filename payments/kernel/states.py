"""State machines as tables: `{(state, event): next state}`, beside the enum in a domain's rules.

A transition that is not in the table does not exist. The drawings in `docs/states` are made from
the same tables the code runs on.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any, Generic, TypeVar

from payments.kernel.errors import Conflict

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


class TransitionRefused(Conflict):
    """The thing is in a state in which this cannot happen to it."""

    code = "transition-refused"


@dataclass(frozen=True)
class Machine(Generic[State, Event]):
    """A table of transitions; `name` is the thing's word in the glossary."""

    name: str
    initial: State
    table: Mapping[tuple[State, Event], State]

    def next(self, state: State, event: Event) -> State:
        """Return the state that `event` leads to. Raises TransitionRefused when there is none."""
        try:
            return self.table[state, event]
        except KeyError:
            raise TransitionRefused(f"{self.name}: no {event} when {state}") from None

    def mermaid(self) -> str:
        """Return the machine as Mermaid text, edges in the table's order."""
        edges = [f"    {a} --> {b}: {event}" for (a, event), b in self.table.items()]
        return "\n".join(["stateDiagram-v2", f"    [*] --> {self.initial}", *edges, ""])


def one_of(column: str, states: type[StrEnum]) -> str:
    """Return the CHECK condition that a column holds one of the states."""
    return f"{column} IN ({', '.join(repr(state.value) for state in states)})"


def drawings(*packages: ModuleType) -> dict[str, str]:
    """Return the file name and Mermaid text of every machine in the packages' rules."""
    found: dict[str, Machine[Any, Any]] = {}
    for package in packages:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "rules" in module.name.split("."):
                for value in vars(importlib.import_module(module.name)).values():
                    if isinstance(value, Machine):
                        other = found.setdefault(f"{value.name}.mmd", value)
                        assert other is value, f"two machines are called {value.name}"
    return {name: found[name].mermaid() for name in sorted(found)}
