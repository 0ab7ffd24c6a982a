"""Ticket states, pick-up codes and the end of collection."""

from datetime import UTC, datetime

import pytest

from services.transit.rules.tickets import (
    PICK_UP_LENGTH,
    TICKET,
    PickUpCodeMalformed,
    TicketEvent,
    TicketState,
    collect_until,
    pick_up_code,
    read_pick_up_code,
    service_day,
    show_pick_up_code,
    sources,
    target,
)

FOUR = 4 * 60


def test_collecting_and_refunding_start_from_the_same_state_only() -> None:
    assert sources(TicketEvent.COLLECT) == sources(TicketEvent.REFUND) == {TicketState.PAID}


def test_final_states_have_no_way_out() -> None:
    left = {state for state, _ in TICKET.table}
    assert set(TicketState) - left == {
        TicketState.COLLECTED,
        TicketState.REFUNDED,
        TicketState.LAPSED,
    }


def test_every_event_leads_to_one_state() -> None:
    assert {target(event) for event in TicketEvent} == set(TicketState) - {TICKET.initial}


def test_a_pick_up_code_comes_back_however_it_is_typed() -> None:
    code = pick_up_code(bytes(range(20, 20 + PICK_UP_LENGTH)))
    assert read_pick_up_code(show_pick_up_code(code).lower()) == code
    assert read_pick_up_code("oil0-1234 5678") == "011012345678"


@pytest.mark.parametrize("text", ["", "1234", "U" * 12, "1" * 13, "１" * 12, "0123456789A\n"])
def test_what_cannot_be_a_pick_up_code_is_refused(text: str) -> None:
    with pytest.raises(PickUpCodeMalformed):
        read_pick_up_code(text)


def test_the_service_day_outlasts_midnight() -> None:
    half_past_midnight = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # 24 November, 00:30.
    assert service_day(half_past_midnight, starts_minutes=FOUR).isoformat() == "2026-11-23"
    at_four = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
    assert service_day(at_four, starts_minutes=FOUR).isoformat() == "2026-11-24"


@pytest.mark.parametrize(
    ("ordered_at", "until"),
    [
        (datetime(2026, 11, 23, 2, 0, tzinfo=UTC), datetime(2026, 11, 24, 20, 0, tzinfo=UTC)),
        (datetime(2026, 11, 23, 16, 30, tzinfo=UTC), datetime(2026, 11, 24, 20, 0, tzinfo=UTC)),
        (datetime(2026, 11, 23, 20, 0, tzinfo=UTC), datetime(2026, 11, 25, 20, 0, tzinfo=UTC)),
    ],
)
def test_collection_ends_with_the_next_service_day(ordered_at: datetime, until: datetime) -> None:
    assert collect_until(ordered_at, starts_minutes=FOUR, service_days=1) == until
