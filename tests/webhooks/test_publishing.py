import json

from pytest_httpserver import HTTPServer

from payments.events import flows as events
from payments.events import operations
from payments.events.facts import declared
from payments.events.listeners import NamedHandler
from payments.webhooks import handlers, queries, signing
from payments.webhooks.handlers import publish
from services.host.worker import handlers_of
from tests.webhooks.conftest import METRO, Office, Receiver, TicketSold


def test_published_names_are_fields_of_their_facts() -> None:
    for fact in declared().values():
        missing = set(fact.published) - set(fact.__dataclass_fields__)
        assert not missing, f"{fact.name} publishes what it does not have: {missing}"


def test_an_event_tells_what_is_published_and_nothing_else(
    office: Office, httpserver: HTTPServer
) -> None:
    office.endpoint(Receiver(httpserver, "/hook"))
    office.sell("tic_1")
    with office.database.read() as session:
        (sent,) = queries.deliveries(session, book_id=METRO, limit=10)
    body = json.loads(signing.body(sent.event))
    assert body["data"] == {"ticket_id": "tic_1", "amount_minor": 400}
    assert body["type"] == "tests.ticket-sold"
    assert body["book_id"] == METRO
    assert body["subject"] == "tic_1"
    assert body["id"] == sent.event.event_id
    assert "cit_nobody" not in signing.body(sent.event)


def test_the_sequence_counts_the_events_of_one_subject(
    office: Office, httpserver: HTTPServer
) -> None:
    office.endpoint(Receiver(httpserver, "/hook"))
    for ticket in ("tic_1", "tic_2", "tic_1"):
        office.sell(ticket)
        office.wait(seconds=1)
    with office.database.read() as session:
        page = queries.deliveries(session, book_id=METRO, limit=10)
    told = [(sent.event.subject, sent.event.sequence) for sent in reversed(page)]
    assert told == [("tic_1", 1), ("tic_2", 1), ("tic_1", 2)]


def test_a_fact_told_twice_is_one_event_and_one_delivery(
    office: Office, httpserver: HTTPServer
) -> None:
    """Fails when the event is not found again by its fact."""
    office.endpoint(Receiver(httpserver, "/hook"))
    fact = TicketSold(book_id=METRO, ticket_id="tic_1", sold_at=office.clock.now())
    for _ in range(2):
        with office.database.transaction() as session:
            publish(session, fact, now=office.clock.now())
    assert len(office.deliveries()) == 1


def test_only_endpoints_that_listen_get_a_delivery(office: Office, httpserver: HTTPServer) -> None:
    wanted = office.endpoint(Receiver(httpserver, "/wanted"), events=("tests.*",))
    office.endpoint(Receiver(httpserver, "/unwanted"), events=("order.paid",))
    office.sell("tic_1")
    assert [delivery.endpoint_id for delivery in office.deliveries()] == [wanted.endpoint_id]


def test_a_fact_of_a_book_without_endpoints_leaves_nothing(office: Office) -> None:
    office.sell("tic_1")
    assert office.deliveries() == []


def test_a_broken_listener_beside_it_does_not_repeat_the_delivery(
    office: Office, httpserver: HTTPServer
) -> None:
    office.endpoint(Receiver(httpserver, "/hook"))

    def refuse(*_: object, **__: object) -> None:
        raise ValueError

    published = handlers.for_published_facts()
    name = TicketSold.name
    beside = {name: (*published[name], NamedHandler(name="tests.refuse", run=refuse))}
    with office.database.transaction() as session:
        fact = TicketSold(book_id=METRO, ticket_id="tic_1", sold_at=office.clock.now())
        operations.record(session, fact, now=office.clock.now())
    for _ in range(3):
        events.drain(office.database, handlers=beside, clock=office.clock)
        office.wait(minutes=1)
    assert len(office.deliveries()) == 1


def test_the_worker_publishes_every_published_fact_and_no_other() -> None:
    heard = {
        name
        for name, listeners in handlers_of(()).items()
        if any(listener.name == "webhooks.publish" for listener in listeners)
    }
    assert heard == {name for name, fact in declared().items() if fact.published}
    assert TicketSold.name in heard
