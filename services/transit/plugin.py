"""Transit's manifest."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from payments.orders.facts import OrderClosed, OrderPaid
from payments.refunds.facts import RefundFailed, RefundSucceeded
from services.host.manifest import CatalogueEntry, Handler, Plugin, Sweep, Title
from services.host.platform import Platform
from services.transit import flows, handlers
from services.transit.commands import transit
from services.transit.postings import TICKET_COLLECTED
from services.transit.reference import versions
from services.transit.views import citizens, devices, everybody

UNCOLLECTED_EVERY: Final = timedelta(minutes=1)


def return_uncollected(platform: Platform) -> int:
    """Return the money of tickets nobody collected in time."""
    return flows.return_uncollected(platform.database, clock=platform.clock)


plugin: Final = Plugin(
    name="transit",
    title=Title(zh="公共交通", en="Public transport"),
    blueprints=(everybody.blueprint, citizens.blueprint, devices.blueprint),
    handlers=(
        Handler(fact=OrderPaid, run=handlers.issue_ticket),
        Handler(fact=OrderClosed, run=handlers.lapse_ticket),
        Handler(fact=RefundSucceeded, run=handlers.note_refund),
        Handler(fact=RefundFailed, run=handlers.note_refusal),
    ),
    templates=(TICKET_COLLECTED,),
    sweeps=(
        Sweep(name="transit.return-uncollected", run=return_uncollected, every=UNCOLLECTED_EVERY),
    ),
    commands=(transit,),
    migrations=Path(__file__).parent / "migrations",
    catalogue=(
        CatalogueEntry(
            name="metro-tickets",
            group="transit",
            title=Title(zh="地铁购票", en="Metro tickets"),
            summary=Title(
                zh="手机购票，车站自助机取票", en="Buy on the phone, collect at a station"
            ),
            path="/v1/transit",
        ),
    ),
    check=versions.check,
)
