"""Send what is due: claim and commit, send outside any transaction, record."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy.orm import Session

from payments.kernel.clock import Clock
from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from payments.kernel.http import GuardedHttpClient
from payments.merchants import queries as merchants
from payments.merchants.operations.endpoints import open_secret
from payments.merchants.rules import SecretKind
from payments.webhooks import operations, signing
from payments.webhooks.courier import PATIENCE, Carried, Courier, Parcel, Patience
from payments.webhooks.operations import Attempted, Claimed
from payments.webhooks.rules import Lane

WAIT_SECONDS: Final = 0.2

_random = random.SystemRandom()


def deliver(
    database: Database,
    *,
    http: GuardedHttpClient,
    vault: Vault,
    clock: Clock,
    patience: Patience = PATIENCE,
) -> int:
    """Send everything that is due now and wait for the answers; return how many attempts.

    For commands and demonstrations; a worker keeps one Courier and takes `turn` after `turn`.
    """
    attempts = 0
    with Courier(http, patience=patience) as courier:
        while (claimed := turn(database, courier=courier, vault=vault, clock=clock)) or (
            courier.busy
        ):
            attempts += claimed
    return attempts


def turn(database: Database, *, courier: Courier, vault: Vault, clock: Clock) -> int:
    """Record what came back and send what is due, as far as there is room; return how many.

    It never waits for a slow endpoint: a parcel that is still under way is recorded in a later
    turn. When the process dies, its parcels come due again once their lease has passed, and go out
    under the same `webhook-id`.
    """
    carried = courier.arrived(wait_seconds=WAIT_SECONDS)
    parcels = database.run(
        partial(
            _exchange,
            carried=carried,
            scatter=[_random.uniform(-1, 1) for _ in carried],
            room=courier.room(),
            under_way=courier.under_way(),
            vault=vault,
            now=clock.now(),
        )
    )
    courier.dismiss(carried)
    for parcel in parcels:
        courier.send(parcel)
    return len(parcels)


def _exchange(
    session: Session,
    *,
    carried: Sequence[Carried],
    scatter: Sequence[float],
    room: Mapping[Lane, int],
    under_way: Mapping[str, int],
    vault: Vault,
    now: datetime,
) -> list[Parcel]:
    """Hand in what came back and take out what is due, in one transaction."""
    if carried:
        attempts = [
            Attempted(
                claimed=one.claimed,
                answered=one.answered,
                duration_ms=one.duration_ms,
                scatter=part,
            )
            for one, part in zip(carried, scatter, strict=True)
        ]
        operations.record(session, attempts, now=now)
    claimed = operations.claim(session, room=room, under_way=under_way, now=now)
    secrets = _secrets(session, claimed, vault=vault, now=now)
    return [_parcel(one, secrets[one.endpoint_id], now=now) for one in claimed]


def _secrets(
    session: Session, claimed: Sequence[Claimed], *, vault: Vault, now: datetime
) -> Mapping[str, Sequence[tuple[SecretKind, str]]]:
    """Return what signs for each endpoint now."""
    secrets: dict[str, list[tuple[SecretKind, str]]] = defaultdict(list)
    if endpoint_ids := sorted({one.endpoint_id for one in claimed}):
        for row in merchants.signing_secrets(session, endpoint_ids=endpoint_ids, now=now):
            secrets[row.endpoint_id].append((SecretKind(row.kind), open_secret(row, vault=vault)))
    return secrets


def _parcel(
    claimed: Claimed, secrets: Sequence[tuple[SecretKind, str]], *, now: datetime
) -> Parcel:
    text = signing.body(claimed.event)
    headers = signing.headers(event_id=claimed.event.event_id, text=text, secrets=secrets, now=now)
    return Parcel(claimed=claimed, headers=headers, body=text.encode(), sent_at=now)
