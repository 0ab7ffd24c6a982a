"""What the worker does for merchants: callbacks go out, nonces are forgotten."""

from datetime import timedelta
from typing import Final
from weakref import WeakKeyDictionary

from payments.kernel.clock import monotonic_seconds
from payments.merchants import operations
from payments.webhooks import flows
from payments.webhooks.courier import Courier
from payments.webhooks.rules import CHANNEL
from services.host.manifest import Sweep
from services.host.platform import Platform

LOOK_EVERY: Final = timedelta(seconds=1)
FORGET_EVERY: Final = timedelta(minutes=5)
STRETCH_SECONDS: Final = 5.0

_couriers: Final[WeakKeyDictionary[Platform, Courier]] = WeakKeyDictionary()


def deliver(platform: Platform) -> int:
    """Send callbacks until nothing is due or under way, or a stretch of time has passed.

    Parcels that are under way at the end stay so, and are recorded in the next stretch.
    """
    courier = _couriers.get(platform)
    if courier is None:
        courier = _couriers[platform] = Courier(platform.guarded_http)
    ends = monotonic_seconds() + STRETCH_SECONDS
    sent = 0
    while monotonic_seconds() < ends:
        sent_now = flows.turn(
            platform.database, courier=courier, vault=platform.vault, clock=platform.clock
        )
        sent += sent_now
        if not sent_now and not courier.busy:
            break
    return sent


def forget_nonces(platform: Platform) -> int:
    """Forget one batch of nonces that no fresh request can bear."""
    with platform.database.transaction() as session:
        return operations.forget_nonces(session, now=platform.clock.now())


SWEEPS: Final = (
    Sweep(name="merchants.callbacks", run=deliver, every=LOOK_EVERY, channel=CHANNEL),
    Sweep(name="merchants.nonces", run=forget_nonces, every=FORGET_EVERY),
)
