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
            courier.under_way()
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
    if carried:
        database.run(partial(_record, carried=carried, now=clock.now()))
    sent = 0
    for lane in Lane:
        if room := courier.room(lane):
            under_way = courier.under_way()
            pack = partial(
                _pack, lane=lane, under_way=under_way, room=room, vault=vault, now=clock.now()
            )
            parcels = database.run(pack)
            for parcel in parcels:
                courier.send(parcel, lane=lane)
            sent += len(parcels)
    return sent


def _record(session: Session, *, carried: Sequence[Carried], now: datetime) -> None:
    attempts = [
        Attempted(
            claimed=one.claimed,
            answered=one.answered,
            duration_ms=one.duration_ms,
            scatter=_random.uniform(-1, 1),
        )
        for one in carried
    ]
    operations.record(session, attempts, now=now)


def _pack(
    session: Session,
    *,
    lane: Lane,
    under_way: Mapping[str, int],
    room: int,
    vault: Vault,
    now: datetime,
) -> list[Parcel]:
    """Claim deliveries and sign them with the secrets that live now."""
    claimed = operations.claim(session, lane=lane, under_way=under_way, limit=room, now=now)
    endpoint_ids = sorted({one.endpoint.endpoint_id for one in claimed})
    secrets: dict[str, list[tuple[SecretKind, str]]] = defaultdict(list)
    for row in merchants.signing_secrets(session, endpoint_ids=endpoint_ids, now=now):
        secrets[row.endpoint_id].append((SecretKind(row.kind), open_secret(row, vault=vault)))
    return [_parcel(one, secrets[one.endpoint.endpoint_id], now=now) for one in claimed]


def _parcel(
    claimed: Claimed, secrets: Sequence[tuple[SecretKind, str]], *, now: datetime
) -> Parcel:
    text = signing.body(claimed.event)
    headers = signing.headers(event_id=claimed.event.event_id, text=text, secrets=secrets, now=now)
    return Parcel(claimed=claimed, headers=headers, body=text.encode(), sent_at=now)
