"""A fact for tests, and a listener that does as it is told."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from payments.events.facts import Fact
from payments.events.listeners import NamedHandler
from payments.kernel.errors import Conflict
from payments.kernel.ids import BookId

MOMENT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
BOOK = BookId("HZMTRO")


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class LampLit(Fact):
    name = "lamp.lit"
    lamp_id: str
    lit_at: datetime = MOMENT
    day: date = date(2026, 11, 23)
    colour: Colour = Colour.RED
    wattages: tuple[int, ...] = ()
    labels: dict[str, str] | None = None

    @property
    def subject(self) -> str:
        return self.lamp_id

    @property
    def occurred_at(self) -> datetime:
        return self.lit_at


class Listener:
    """Writes a row for every lamp it hears of; fails, after writing, for those that are broken."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[str] = []
        self.broken: set[str] = set()

    def handler(self) -> NamedHandler:
        return NamedHandler(name=self.name, run=self.hear)

    def hear(self, session: Session, fact: LampLit, *, now: datetime) -> None:
        session.execute(
            text("INSERT INTO ledger.books VALUES (:book_id, :name, :now)"),
            {
                "book_id": f"L{len(self.heard):05}",
                "name": f"{self.name}/{fact.lamp_id}",
                "now": now,
            },
        )
        if fact.lamp_id in self.broken:
            raise Conflict(detail="the lamp is broken")
        self.heard.append(fact.lamp_id)
