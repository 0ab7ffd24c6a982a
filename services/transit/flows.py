"""What transit does by itself, each batch in a transaction of its own."""

from typing import Final

from payments.kernel.clock import Clock
from payments.kernel.database import Database
from services.transit import operations

BATCH: Final = 100


def return_uncollected(database: Database, *, clock: Clock) -> int:
    """Return the money of up to a batch of tickets nobody collected; say how many there were."""
    now = clock.now()
    return database.run(
        lambda session: operations.return_uncollected(session, now=now, limit=BATCH)
    )
