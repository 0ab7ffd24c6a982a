"""State machines as tables, and their drawings."""

from enum import StrEnum

import pytest

from payments.kernel.states import Machine, TransitionRefused, one_of


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"


class Hand(StrEnum):
    PULL = "pull"
    PUSH = "push"


DOOR = Machine("door", Door.SHUT, {(Door.SHUT, Hand.PULL): Door.OPEN})


def test_what_is_not_in_the_table_does_not_happen() -> None:
    assert DOOR.next(Door.SHUT, Hand.PULL) is Door.OPEN
    with pytest.raises(TransitionRefused):
        DOOR.next(Door.OPEN, Hand.PULL)


def test_a_machine_draws_itself() -> None:
    assert DOOR.mermaid() == ("stateDiagram-v2\n    [*] --> shut\n    shut --> open: pull\n")
    assert one_of("state", Door) == "state IN ('open', 'shut')"
