from datetime import timedelta

import pytest

from payments.kernel.clock import FixedClock
from payments.kernel.crypto import DecryptionFailed, Vault
from payments.kernel.database import Database
from payments.kernel.errors import NotFound
from payments.merchants import operations, queries
from payments.merchants.callback_secrets import CallbackSecret
from payments.merchants.models import CallbackEndpoint
from payments.merchants.operations import endpoints
from payments.merchants.rules import DisabledReason, SecretKind

pytestmark = pytest.mark.usefixtures("merchant")


def add_endpoint(
    database: Database, clock: FixedClock, vault: Vault, secret: CallbackSecret
) -> CallbackEndpoint:
    with database.transaction() as session:
        return operations.add_endpoint(
            session,
            merchant_id="mer_metro",
            url="https://metro.example/callbacks",
            events=["order.*"],
            secrets=[secret],
            vault=vault,
            now=clock.now(),
        )


def rotate(
    database: Database, clock: FixedClock, vault: Vault, endpoint_id: str, secret: CallbackSecret
) -> None:
    with database.transaction() as session:
        operations.rotate_secret(
            session,
            merchant_id="mer_metro",
            endpoint_id=endpoint_id,
            secret=secret,
            vault=vault,
            now=clock.now(),
        )


def living(database: Database, clock: FixedClock, vault: Vault, endpoint_id: str) -> list[str]:
    with database.read() as session:
        rows = queries.signing_secrets(session, endpoint_ids=[endpoint_id], now=clock.now())
        return [endpoints.open_secret(row, vault=vault) for row in rows]


def test_an_endpoint_listens_for_its_book_until_it_is_disabled(
    database: Database, clock: FixedClock, vault: Vault
) -> None:
    secret = CallbackSecret.generate(SecretKind.HMAC)
    endpoint_id = add_endpoint(database, clock, vault, secret).endpoint_id
    with database.transaction() as session:
        assert queries.listening_endpoints(session, book_id="HZMTRO")
        assert not queries.listening_endpoints(session, book_id="OTHERS")
        operations.disable_endpoint(session, endpoint_id=endpoint_id, reason=DisabledReason.GONE)
        assert not queries.listening_endpoints(session, book_id="HZMTRO")
        again = operations.disable_endpoint(
            session, endpoint_id=endpoint_id, reason=DisabledReason.OWNER
        )
        assert again.disabled_reason == DisabledReason.GONE
        operations.enable_endpoint(session, merchant_id="mer_metro", endpoint_id=endpoint_id)
        assert queries.listening_endpoints(session, book_id="HZMTRO")


def test_two_secrets_sign_while_one_replaces_the_other(
    database: Database, clock: FixedClock, vault: Vault
) -> None:
    first, second = (CallbackSecret.generate(SecretKind.HMAC) for _ in range(2))
    endpoint_id = add_endpoint(database, clock, vault, first).endpoint_id
    clock.advance(timedelta(days=30))
    rotate(database, clock, vault, endpoint_id, second)
    assert living(database, clock, vault, endpoint_id) == [second.text, first.text]
    clock.advance(endpoints.ROTATION_OVERLAP)
    assert living(database, clock, vault, endpoint_id) == [second.text]


def test_rotating_one_kind_leaves_the_other(
    database: Database, clock: FixedClock, vault: Vault
) -> None:
    shared = CallbackSecret.generate(SecretKind.HMAC)
    endpoint_id = add_endpoint(database, clock, vault, shared).endpoint_id
    rotate(database, clock, vault, endpoint_id, CallbackSecret.generate(SecretKind.ED25519))
    clock.advance(timedelta(days=365))
    assert shared.text in living(database, clock, vault, endpoint_id)


def test_secrets_pile_up_only_so_far(database: Database, clock: FixedClock, vault: Vault) -> None:
    secret = CallbackSecret.generate(SecretKind.HMAC)
    endpoint_id = add_endpoint(database, clock, vault, secret).endpoint_id
    for _ in range(endpoints.SECRETS_MAX - 1):
        rotate(database, clock, vault, endpoint_id, secret)
    with pytest.raises(endpoints.TooManySecrets):
        rotate(database, clock, vault, endpoint_id, secret)


def test_a_sealed_secret_opens_in_its_own_row_only(
    database: Database, clock: FixedClock, vault: Vault
) -> None:
    secret = CallbackSecret.generate(SecretKind.HMAC)
    endpoint_id = add_endpoint(database, clock, vault, secret).endpoint_id
    with database.read() as session:
        (row,) = queries.signing_secrets(session, endpoint_ids=[endpoint_id], now=clock.now())
    assert secret.text.encode() not in row.sealed
    row.secret_id = "csec_other"
    with pytest.raises(DecryptionFailed):
        endpoints.open_secret(row, vault=vault)


def test_another_merchants_endpoint_is_not_found(
    database: Database, clock: FixedClock, vault: Vault
) -> None:
    secret = CallbackSecret.generate(SecretKind.HMAC)
    endpoint_id = add_endpoint(database, clock, vault, secret).endpoint_id
    with database.transaction() as session, pytest.raises(NotFound):
        operations.change_endpoint(
            session, merchant_id="mer_other", endpoint_id=endpoint_id, events=["*"]
        )


def test_a_merchant_has_only_so_many_endpoints(
    database: Database, clock: FixedClock, vault: Vault
) -> None:
    secret = CallbackSecret.generate(SecretKind.HMAC)
    for _ in range(endpoints.ENDPOINTS_MAX):
        add_endpoint(database, clock, vault, secret)
    with pytest.raises(endpoints.TooManyEndpoints):
        add_endpoint(database, clock, vault, secret)
