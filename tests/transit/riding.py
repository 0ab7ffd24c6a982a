"""A city whose citizens buy metro tickets, driven by hand."""

from payments.events import flows as event_flows
from payments.events.listeners import NamedHandler, combine
from payments.orders import queries as order_queries
from payments.orders.models import Order
from services.transit import flows, operations, queries
from services.transit.models import Ticket
from services.transit.plugin import plugin
from services.transit.reference.versions import reference
from tests.support.paying import CITIZEN, HANDLERS, METRO, City

KIOSK = "dev_kiosk"
ALL_HANDLERS = combine(
    HANDLERS,
    {
        handler.fact.name: [NamedHandler(name=f"transit.{handler.fact.name}", run=handler.run)]
        for handler in plugin.handlers
    },
)


class TransitCity(City):
    """A city with a metro."""

    def drain(self) -> int:
        return event_flows.drain(self.database, handlers=ALL_HANDLERS, clock=self.clock)

    def buy(self, *, start: str = "5", end: str = "16", count: int = 1) -> Ticket:
        with self.database.transaction() as session:
            return operations.buy(
                session,
                reference=reference(),
                citizen_id=CITIZEN,
                from_station=start,
                to_station=end,
                count=count,
                now=self.clock.now(),
            )

    def order_of(self, ticket: Ticket) -> Order:
        with self.database.transaction() as session:
            return order_queries.order(session, order_id=ticket.order_id, citizen_id=CITIZEN)

    def pay_order(self, order_id: str) -> None:
        with self.database.transaction() as session:
            order = order_queries.order(session, order_id=order_id, citizen_id=CITIZEN)
        attempt = self.start(order)
        assert self.pay(attempt)
        self.notify(attempt)
        self.run()

    def paid_ticket(self, *, count: int = 1) -> Ticket:
        ticket = self.buy(count=count)
        self.pay_order(ticket.order_id)
        return self.ticket(ticket)

    def collect(self, ticket: Ticket, *, code: str | None = None) -> Ticket:
        with self.database.transaction() as session:
            return operations.collect(
                session,
                book_id=METRO,
                device_id=KIOSK,
                code=code or ticket.pick_up_code or "",
                now=self.clock.now(),
            )

    def give_back(self, ticket: Ticket, *, citizen_id: str = CITIZEN) -> Ticket:
        with self.database.transaction() as session:
            return operations.give_back(
                session, ticket_id=ticket.id, citizen_id=citizen_id, now=self.clock.now()
            )

    def return_uncollected(self) -> int:
        return flows.return_uncollected(self.database, clock=self.clock)

    def ticket(self, ticket: Ticket) -> Ticket:
        with self.database.transaction() as session:
            return queries.ticket(session, ticket_id=ticket.id, citizen_id=CITIZEN)
