"""The manifest of callbacks."""

from datetime import timedelta
from typing import Final

from payments.notices import flows
from payments.notices.rules import CHANNEL
from services.callbacks.commands import notices
from services.callbacks.views import blueprint
from services.host.manifest import Plugin, Sweep, Title
from services.host.platform import Platform

APPLY_EVERY: Final = timedelta(seconds=2)
DROP_EVERY: Final = timedelta(hours=1)


def apply_notices(platform: Platform) -> int:
    """Apply verified notices to the orders and refunds they are about."""
    return flows.apply_pending(
        platform.database, providers=platform.providers, clock=platform.clock
    )


def drop_rejected(platform: Platform) -> int:
    """Forget rejected notices that are past their time."""
    return flows.drop_rejected(platform.database, clock=platform.clock)


plugin: Final = Plugin(
    name="callbacks",
    title=Title(zh="支付通知", en="Provider callbacks"),
    blueprints=(blueprint,),
    sweeps=(
        Sweep(name="callbacks.apply", run=apply_notices, every=APPLY_EVERY, channel=CHANNEL),
        Sweep(name="callbacks.drop-rejected", run=drop_rejected, every=DROP_EVERY),
    ),
    commands=(notices,),
)
