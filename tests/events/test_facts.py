from datetime import datetime

import pytest

from payments.events.facts import Fact, FactUnknown, FactUnreadable, fact_class
from tests.support.lamps import BOOK, LampLit

LAMP = LampLit(
    book_id=BOOK,
    lamp_id="lamp_1",
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
        LampLit(book_id=BOOK, lamp_id="x", lit_at=datetime(2026, 11, 23)).to_fields()  # noqa: DTZ001  the fault
