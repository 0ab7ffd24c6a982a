"""Every state machine is drawn in the documentation, as its table has it."""

import payments
import services
from payments.kernel.states import drawings
from tests.architecture.sources import ROOT


def test_the_drawings_of_the_state_machines_are_fresh() -> None:
    drawn = drawings(payments, services)
    stored = {path.name: path.read_text("utf-8") for path in (ROOT / "docs/states").glob("*.mmd")}
    assert stored == drawn, "a table of states has changed: run flask states write and commit"
