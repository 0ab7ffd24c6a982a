"""A ticket's life, from the phone to the kiosk or back into the purse, with the books behind it."""

from datetime import timedelta

import pytest

from payments.kernel.errors import NotFound
from payments.orders import operations as orders
from services.transit import operations
from services.transit.facts import TicketCollected
from services.transit.operations import (
    PickUpCodeUnknown,
    TicketNotCollectable,
    TicketNotRefundable,
    TooManyTickets,
)
from services.transit.queries import TicketUnknown
from services.transit.reference.versions import reference
from services.transit.rules.network import StationUnknown
from tests.support.paying import CITIZEN, LIFE
from tests.support.providers import Fault
from tests.transit.riding import KIOSK, TransitCity

INCOME = "HZMTRO/income:fares"
ADVANCES = "HZMTRO/liabilities:customer-advances:transit"


def test_a_ticket_is_bought_with_its_order(city: TransitCity) -> None:
    ticket = city.buy(count=2)
    order = city.order_of(ticket)
    assert (ticket.state, ticket.fare_minor, ticket.amount_minor) == ("ordered", 400, 800)
    assert (order.amount_minor, order.service, order.service_reference) == (
        800,
        "transit",
        ticket.id,
    )
    assert ticket.pick_up_code is None
    assert ticket.pay_until == order.expires_at == city.clock.now() + LIFE
    assert order.subject == "地铁单程票 近江—彭埠 ×2"


@pytest.mark.parametrize("count", [0, -1, 10])
def test_an_order_holds_as_many_journeys_as_the_policy_says(city: TransitCity, count: int) -> None:
    with pytest.raises(TooManyTickets):
        city.buy(count=count)
    assert city.buy(count=9).amount_minor == 3_600


def test_no_ticket_leads_to_an_unknown_station(city: TransitCity) -> None:
    with pytest.raises(StationUnknown):
        city.buy(end="Hogwarts")


def test_a_paid_ticket_gets_a_pick_up_code_and_keeps_it(city: TransitCity) -> None:
    ticket = city.paid_ticket()
    assert ticket.state == "paid"
    assert ticket.pick_up_code is not None
    with city.database.transaction() as session:
        again = operations.issue(
            session, ticket_id=ticket.id, paid_at=city.clock.now(), random_bytes=bytes(12)
        )
    assert again is None
    assert city.ticket(ticket).pick_up_code == ticket.pick_up_code
    assert city.balances()[ADVANCES] == 400


def test_collecting_earns_the_fare_and_tells_the_operator(city: TransitCity) -> None:
    ticket = city.collect(city.paid_ticket(count=3))
    assert (ticket.state, ticket.collected_by) == ("collected", KIOSK)
    balances = city.balances()
    assert balances[INCOME] == 1_200
    assert ADVANCES not in balances
    (fact,) = [one for one in city.facts(ticket.id) if isinstance(one, TicketCollected)]
    assert (fact.amount_minor, fact.count, fact.device_id) == (1_200, 3, KIOSK)
    assert set(fact.published) <= set(fact.to_fields())


def test_a_code_is_read_as_people_type_it(city: TransitCity) -> None:
    ticket = city.paid_ticket()
    assert ticket.pick_up_code is not None
    typed = f" {ticket.pick_up_code.lower()[:4]} {ticket.pick_up_code[4:]}"
    assert city.collect(ticket, code=typed).state == "collected"


def test_a_code_collects_once(city: TransitCity) -> None:
    """Seen to fail when the state was left out of the guarded UPDATE."""
    ticket = city.paid_ticket()
    city.collect(ticket)
    with pytest.raises(TicketNotCollectable):
        city.collect(ticket)
    assert city.balances()[INCOME] == 400


def test_an_unknown_code_collects_nothing(city: TransitCity) -> None:
    with pytest.raises(PickUpCodeUnknown):
        city.collect(city.paid_ticket(), code="0" * 12)


def test_a_code_is_worth_nothing_in_another_book(city: TransitCity) -> None:
    """Seen to fail when the book was left out of the guarded UPDATE."""
    ticket = city.paid_ticket()
    with city.database.transaction() as session, pytest.raises(PickUpCodeUnknown):
        operations.collect(
            session,
            book_id="HZBUSX",
            device_id=KIOSK,
            code=ticket.pick_up_code or "",
            now=city.clock.now(),
        )


def test_a_ticket_given_back_is_refunded_and_worth_nothing(city: TransitCity) -> None:
    ticket = city.paid_ticket()
    asked = city.give_back(ticket)
    assert (asked.state, asked.refund_reason) == ("refunding", "asked")
    with pytest.raises(TicketNotCollectable):
        city.collect(ticket)
    city.run_for(timedelta(minutes=2))
    assert city.ticket(ticket).state == "refunded"
    assert city.balances() == {}


def test_a_collected_ticket_is_not_given_back(city: TransitCity) -> None:
    ticket = city.collect(city.paid_ticket())
    with pytest.raises(TicketNotRefundable):
        city.give_back(ticket)


def test_an_unpaid_ticket_is_not_given_back(city: TransitCity) -> None:
    with pytest.raises(TicketNotRefundable):
        city.give_back(city.buy())


def test_somebody_elses_ticket_does_not_exist(city: TransitCity) -> None:
    """Invariant 11; seen to fail when the citizen was left out of the query."""
    ticket = city.paid_ticket()
    with pytest.raises(TicketUnknown):
        city.give_back(ticket, citizen_id="cit_2")
    assert city.ticket(ticket).state == "paid"


@pytest.mark.parametrize("ticket_id", ["", "tkt_", "tkt_HZMTRO", "x" * 500, "tkt_' OR 1=1"])
def test_what_is_no_ticket_id_is_not_found(city: TransitCity, ticket_id: str) -> None:
    with city.database.transaction() as session, pytest.raises(NotFound):
        operations.give_back(session, ticket_id=ticket_id, citizen_id=CITIZEN, now=city.clock.now())


def test_a_ticket_nobody_pays_lapses(city: TransitCity) -> None:
    ticket = city.buy()
    city.run_for(LIFE + timedelta(minutes=1))
    assert city.ticket(ticket).state == "lapsed"
    assert city.balances() == {}


def test_money_that_comes_after_the_ticket_lapsed_goes_back_and_issues_nothing(
    city: TransitCity,
) -> None:
    """Invariant 6."""
    ticket = city.buy()
    attempt = city.start(city.order_of(ticket))
    city.run_for(LIFE + timedelta(minutes=1))
    trade = city.alipay.trades[attempt.number]
    trade.closed, trade.paid_at = False, city.clock.now()
    city.notify(attempt)
    city.run()
    assert city.ticket(ticket).state == "lapsed"
    city.run_for(timedelta(minutes=2))
    assert sum(trade.refunds.values()) == 400
    assert city.balances() == {}


def test_tickets_nobody_collects_go_back_when_the_next_service_day_ends(
    city: TransitCity,
) -> None:
    ticket = city.paid_ticket()
    collected = city.collect(city.paid_ticket())
    city.clock.advance(ticket.collect_until - city.clock.now() - timedelta(seconds=1))
    assert city.return_uncollected() == 0
    city.clock.advance(timedelta(seconds=1))
    with pytest.raises(TicketNotCollectable):
        city.collect(ticket)
    assert city.return_uncollected() == 1
    assert city.return_uncollected() == 0
    city.run_for(timedelta(minutes=2))
    back = city.ticket(ticket)
    assert (back.state, back.refund_reason) == ("refunded", "not-collected")
    assert city.ticket(collected).state == "collected"
    assert city.balances()[INCOME] == 400
    assert ADVANCES not in city.balances()


def test_a_clerks_refund_ends_the_ticket(city: TransitCity) -> None:
    """Seen to fail when only a ticket that asked for its refund took note of it."""
    ticket = city.paid_ticket()
    city.refund(city.order_of(ticket), ticket.amount_minor)
    city.run_for(timedelta(minutes=2))
    assert city.ticket(ticket).state == "refunded"
    with pytest.raises(TicketNotCollectable):
        city.collect(ticket)


def test_another_services_order_moves_no_ticket(city: TransitCity) -> None:
    ticket = city.buy()
    with city.database.transaction() as session:
        other = orders.place(
            session,
            book_id=reference().networks[0].operator_of("0").book_id,
            service="tolls",
            service_reference=ticket.id,
            citizen_id=CITIZEN,
            amount_minor=400,
            subject="通行费",
            expires_at=city.clock.now() + LIFE,
            now=city.clock.now(),
        )
    attempt = city.start(other)
    assert city.pay(attempt)
    city.notify(attempt)
    city.run()
    assert city.ticket(ticket).state == "ordered"


def test_every_charge_is_recomputed_from_what_was_stored(city: TransitCity) -> None:
    """Invariant 14."""
    for start, end, count in (("0", "33", 1), ("34", "66", 2), ("67", "27", 9)):
        ticket = city.ticket(city.buy(start=start, end=end, count=count))
        fare = reference().recompute(ticket.explanation)
        assert (
            fare.amount_minor * count == ticket.amount_minor == city.order_of(ticket).amount_minor
        )


def test_a_refund_the_provider_refuses_leaves_the_ticket_good(city: TransitCity) -> None:
    """Seen to fail when nobody heard of the refusal: the ticket could never be used or returned."""
    ticket = city.paid_ticket()
    city.alipay.faults.append(Fault.REFUSED)
    city.give_back(ticket)
    city.run()
    assert city.ticket(ticket).state == "paid"
    city.give_back(ticket)
    city.run()
    assert city.ticket(ticket).state == "refunded"


def test_a_refused_refund_is_not_asked_for_again_by_itself(city: TransitCity) -> None:
    ticket = city.paid_ticket()
    city.clock.advance(timedelta(days=3))
    city.alipay.faults.append(Fault.REFUSED)
    assert city.return_uncollected() == 1
    city.run()
    assert city.return_uncollected() == 0
    assert city.ticket(ticket).state == "paid"
    assert city.give_back(ticket).state == "refunding"


def test_a_ticket_that_cannot_be_returned_holds_up_no_other(city: TransitCity) -> None:
    """Seen to fail when one transaction without savepoints returned them all."""
    partly, other = city.paid_ticket(), city.paid_ticket()
    city.refund(city.order_of(partly), 100)
    city.clock.advance(timedelta(days=3))
    assert city.return_uncollected() == 1
    city.run()
    assert (city.ticket(partly).state, city.ticket(other).state) == ("paid", "refunded")
