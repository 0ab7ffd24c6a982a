"""The cashier's manifest: citizens' payments, and the work that lets no outcome be lost."""

from datetime import timedelta
from typing import Final

from payments.orders import flows as orders
from payments.orders import postings as order_postings
from payments.refunds import flows as refunds
from payments.refunds import postings as refund_postings
from payments.refunds.rules import CHANNEL
from services.cashier.views import blueprint
from services.host.manifest import Plugin, Sweep, Title
from services.host.platform import Platform

EVERY: Final = timedelta(seconds=2)


def settle_unknown(platform: Platform) -> int:
    """Ask providers about attempts whose outcome is open."""
    return orders.settle_unknown(
        platform.database, providers=platform.providers, clock=platform.clock
    )


def close_expired(platform: Platform) -> int:
    """Close orders past their time, at the provider first."""
    return orders.close_expired(
        platform.database, providers=platform.providers, clock=platform.clock
    )


def send_refunds(platform: Platform) -> int:
    """Send refunds that are due and ask about those that were sent."""
    return refunds.send(platform.database, providers=platform.providers, clock=platform.clock)


plugin: Final = Plugin(
    name="cashier",
    title=Title(zh="收银台", en="Cashier"),
    blueprints=(blueprint,),
    templates=(*order_postings.TEMPLATES, *refund_postings.TEMPLATES),
    sweeps=(
        Sweep(name="cashier.settle-unknown", run=settle_unknown, every=EVERY),
        Sweep(name="cashier.close-expired", run=close_expired, every=EVERY),
        Sweep(name="cashier.send-refunds", run=send_refunds, every=EVERY, channel=CHANNEL),
    ),
)
