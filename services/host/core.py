"""What the core hears by itself: the handlers of the payments domains, which no plug-in owns."""

from payments.events.listeners import HandlersByFact, combine
from payments.ledger.handlers import HANDLERS as LEDGER
from payments.refunds.handlers import HANDLERS as REFUNDS
from payments.webhooks.handlers import for_published_facts


def core_handlers() -> HandlersByFact:
    """Return the core's handlers by fact; ask once all plug-ins are imported, with their facts."""
    return combine(LEDGER, REFUNDS, for_published_facts())
