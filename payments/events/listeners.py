"""Who hears a fact."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

HandlersByFact = Mapping[str, Sequence["NamedHandler"]]


class FactHandler(Protocol):
    """An operation that reacts to one kind of fact, inside the drain's transaction.

    It may be run again for the same fact, so its effect is keyed by what the fact is about.
    """

    def __call__(self, session: Session, fact: Any, *, now: datetime) -> None:
        """React to the fact; raise to have it told again later."""


@dataclass(frozen=True, kw_only=True)
class NamedHandler:
    """A handler and the name under which its progress is remembered, such as `transit.issue`.

    The name is stored with facts that wait, so it stays the same for ever.
    """

    name: str
    run: FactHandler


def combine(*parts: HandlersByFact) -> HandlersByFact:
    """Join the handlers of several domains. Raises ValueError when a name is used twice."""
    joined: dict[str, list[NamedHandler]] = defaultdict(list)
    for part in parts:
        for fact, handlers in part.items():
            joined[fact] += handlers
    for fact, handlers in joined.items():
        names = [handler.name for handler in handlers]
        if len(set(names)) != len(names):
            raise ValueError(f"two handlers of {fact} share a name: {sorted(names)}")
    return joined
