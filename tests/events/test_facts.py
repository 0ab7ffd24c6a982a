from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

import pytest

from payments.events.facts import Fact, FactUnknown, FactUnreadable, fact_class
from payments.kernel.ids import BookId

MOMENT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class LampLit(Fact):
    name = "lamp.lit"
    lamp_id: str
    lit_at: datetime
    day: date
    colour: Colour = Colour.RED
    wattages: tuple[int, ...] = ()
    labels: dict[str, str] | None = None

    @property
    def subject(self) -> str:
        return self.lamp_id

    @property
    def occurred_at(self) -> datetime:
        return self.lit_at


LAMP = LampLit(
    book_id=BookId("HZMTRO"),
    lamp_id="lamp_1",
    lit_at=MOMENT,
    day=MOMENT.date(),
    wattages=(1, 2),
    labels={"zh": "灯"},
)


def test_a_fact_comes_back_as_it_was_stored() -> None:
    assert fact_class("lamp.lit") is LampLit
    assert LampLit.from_fields(LAMP.to_fields(), version=1) == LAMP


def test_a_name_is_declared_once() -> None:
    with pytest.raises(TypeError, match="declared twice"):
        type("Impostor", (Fact,), {"name": "lamp.lit"})
    with pytest.raises(TypeError, match=r"order\.paid"):
        type("Unnamed", (Fact,), {"name": "Lamp Lit"})


def test_what_cannot_be_read_says_so() -> None:
    with pytest.raises(FactUnknown):
        fact_class("lamp.eaten")
    with pytest.raises(FactUnreadable):
        LampLit.from_fields(LAMP.to_fields(), version=2)
    with pytest.raises(FactUnreadable):
        LampLit.from_fields({"book_id": "HZMTRO"}, version=1)
    with pytest.raises(FactUnreadable):
        LampLit(
            book_id=BookId("HZMTRO"),
            lamp_id="x",
            lit_at=MOMENT.replace(tzinfo=None),
            day=MOMENT.date(),
        ).to_fields()
