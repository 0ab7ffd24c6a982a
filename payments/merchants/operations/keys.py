"""Keys are trusted and revoked; nonces are used up and, later, forgotten."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound, Unauthenticated
from payments.kernel.ids import new_id
from payments.merchants import queries, rules
from payments.merchants.models import Nonce, SigningKey
from payments.merchants.rules import KeyAlgorithm, KeyOwner

NONCE_MEMORY: Final = timedelta(minutes=15)  # Longer than a signature can be fresh, both ways.
FORGET_BATCH: Final = 5_000


class NonceReplayed(Unauthenticated):
    """A signed request bears a nonce that its key has used before."""

    code = "nonce-replayed"
    zh = "签名随机串已被使用"
    en = "The nonce has been used before"


def add_key(
    session: Session,
    *,
    merchant_id: str,
    public_key: str,
    now: datetime,
    device_id: str | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> SigningKey:
    """Trust an Ed25519 public key (PEM or base64) as a merchant's, or as one of its devices'.

    Any number of keys may be valid at once, which is how one is rotated. Raises PublicKeyInvalid.
    """
    queries.merchant(session, merchant_id=merchant_id)
    if device_id is not None:
        queries.device(session, merchant_id=merchant_id, device_id=device_id)
    key = SigningKey(
        key_id=new_id("key"),
        merchant_id=merchant_id,
        owner_kind=KeyOwner.MERCHANT if device_id is None else KeyOwner.DEVICE,
        device_id=device_id,
        algorithm=KeyAlgorithm.ED25519,
        public_key=rules.public_key(public_key),
        valid_from=valid_from or now,
        valid_until=valid_until,
        revoked_at=None,
        created_at=now,
    )
    session.add(key)
    session.flush()
    return key


def revoke_key(session: Session, *, key_id: str, now: datetime) -> SigningKey:
    """Trust a key no longer, from the next request on; revoking twice keeps the first moment."""
    key = session.get(SigningKey, key_id, with_for_update=True)
    if key is None:
        raise NotFound
    key.revoked_at = key.revoked_at or now
    session.flush()
    return key


def remember_nonce(session: Session, *, key_id: str, nonce: str, now: datetime) -> None:
    """Use up a nonce of a key. Raises NonceReplayed when it was used before.

    Of two requests at once with one nonce, the second waits at the primary key for the first.
    """
    used = session.scalar(
        insert(Nonce)
        .values(key_id=key_id, nonce=nonce, forget_at=now + NONCE_MEMORY)
        .on_conflict_do_nothing()
        .returning(Nonce.nonce)
    )
    if used is None:
        raise NonceReplayed


def forget_nonces(session: Session, *, now: datetime) -> int:
    """Delete one batch of nonces that no fresh request can bear any more; return how many."""
    old = (
        select(Nonce.key_id, Nonce.nonce)
        .where(Nonce.forget_at < now)
        .limit(FORGET_BATCH)
        .with_for_update(skip_locked=True)
    )
    gone = session.scalars(
        delete(Nonce)
        .where(tuple_(Nonce.key_id, Nonce.nonce).in_(old))
        .returning(Nonce.key_id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
