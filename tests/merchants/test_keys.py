from datetime import datetime, timedelta

import pytest

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.errors import NotFound
from payments.merchants import operations, queries
from payments.merchants.models import Merchant, SigningKey
from payments.merchants.operations.keys import NONCE_MEMORY, NonceReplayed
from payments.merchants.rules import DeviceKind

PUBLIC_KEY = "OgjxGpcUJl4Vb6mXTY4F6AhkDHBmZPRWeVtLR19V5VA="


def add_key(
    database: Database,
    clock: FixedClock,
    *,
    device_id: str | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> SigningKey:
    with database.transaction() as session:
        return operations.add_key(
            session,
            merchant_id="mer_metro",
            public_key=PUBLIC_KEY,
            now=clock.now(),
            device_id=device_id,
            valid_from=valid_from,
            valid_until=valid_until,
        )


def valid(database: Database, clock: FixedClock, *keys: SigningKey) -> list[bool]:
    with database.read() as session:
        signers = [queries.signer(session, key_id=key.key_id) for key in keys]
    return [signer is not None and signer.valid_at(clock.now()) for signer in signers]


@pytest.mark.usefixtures("merchant")
def test_a_key_speaks_for_its_merchant_until_it_expires_or_is_revoked(
    database: Database, clock: FixedClock
) -> None:
    tomorrow = clock.now() + timedelta(days=1)
    lasting = add_key(database, clock)
    passing = add_key(database, clock, valid_until=tomorrow)
    coming = add_key(database, clock, valid_from=tomorrow)
    assert valid(database, clock, lasting, passing, coming) == [True, True, False]
    clock.advance(timedelta(days=1))
    assert valid(database, clock, lasting, passing, coming) == [True, False, True]
    with database.transaction() as session:
        operations.revoke_key(session, key_id=lasting.key_id, now=clock.now())
    assert valid(database, clock, lasting) == [False]


@pytest.mark.usefixtures("merchant")
def test_revoking_twice_keeps_the_first_moment(database: Database, clock: FixedClock) -> None:
    key = add_key(database, clock)
    first = clock.now()
    for _ in range(2):
        with database.transaction() as session:
            revoked = operations.revoke_key(session, key_id=key.key_id, now=clock.now())
        assert revoked.revoked_at == first
        clock.advance(timedelta(minutes=1))


def test_a_devices_key_speaks_for_the_device(
    database: Database, clock: FixedClock, merchant: Merchant
) -> None:
    with database.transaction() as session:
        device = operations.add_device(
            session,
            merchant_id=merchant.merchant_id,
            kind=DeviceKind.KIOSK,
            name="龙翔桥 A 口",
            place="0107",
            now=clock.now(),
        )
    key = add_key(database, clock, device_id=device.device_id)
    with database.read() as session:
        signer = queries.signer(session, key_id=key.key_id)
    assert signer is not None
    assert signer.device is not None
    assert signer.device.place == "0107"
    assert signer.merchant.book_id == "HZMTRO"


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize(
    ("merchant_id", "device_id"), [("mer_nobody", None), ("mer_metro", "dev_nowhere")]
)
def test_a_key_needs_its_owner(
    database: Database, clock: FixedClock, merchant_id: str, device_id: str | None
) -> None:
    with database.transaction() as session, pytest.raises(NotFound):
        operations.add_key(
            session,
            merchant_id=merchant_id,
            device_id=device_id,
            public_key=PUBLIC_KEY,
            now=clock.now(),
        )


def test_a_nonce_counts_once_a_key_and_is_forgotten_later(
    database: Database, clock: FixedClock
) -> None:
    """Fails when the key is not part of the primary key, or a nonce is forgotten too early."""
    for key in ("key_a", "key_b"):
        with database.transaction() as session:
            operations.remember_nonce(session, key_id=key, nonce="n" * 16, now=clock.now())
    with pytest.raises(NonceReplayed), database.transaction() as session:
        operations.remember_nonce(session, key_id="key_a", nonce="n" * 16, now=clock.now())

    clock.advance(NONCE_MEMORY)
    with database.transaction() as session:
        assert operations.forget_nonces(session, now=clock.now()) == 0
    clock.advance(timedelta(seconds=1))
    with database.transaction() as session:
        assert operations.forget_nonces(session, now=clock.now()) == 2
    with database.transaction() as session:
        operations.remember_nonce(session, key_id="key_a", nonce="n" * 16, now=clock.now())
