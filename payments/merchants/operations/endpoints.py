"""Callback endpoints are added, changed, disabled; their secrets rotate with an overlap."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from payments.kernel.crypto import Vault
from payments.kernel.errors import Conflict, NotFound
from payments.kernel.ids import new_id
from payments.merchants import queries, rules
from payments.merchants.callback_secrets import CallbackSecret
from payments.merchants.models import CallbackEndpoint, EndpointSecret
from payments.merchants.rules import DisabledReason, EndpointStatus

ENDPOINTS_MAX: Final = 20
SECRETS_MAX: Final = 6
ROTATION_OVERLAP: Final = timedelta(hours=24)
API_VERSION: Final = "v1"


class TooManyEndpoints(Conflict):
    """A merchant has as many callback endpoints as one may have."""

    code = "too-many-endpoints"
    zh = "回调地址数量已达上限"
    en = "There are too many callback endpoints"


class TooManySecrets(Conflict):
    """An endpoint has as many living secrets as one may have; wait for an old one to retire."""

    code = "too-many-secrets"
    zh = "回调密钥数量已达上限"
    en = "There are too many callback secrets"


def add_endpoint(
    session: Session,
    *,
    merchant_id: str,
    url: str,
    events: Sequence[str],
    secrets: Sequence[CallbackSecret],
    vault: Vault,
    now: datetime,
) -> CallbackEndpoint:
    """Add a callback endpoint that is told of `events` and whose callbacks `secrets` sign.

    Whether the host may be called is the caller's to ask first, outside a transaction
    (`GuardedHttpClient.examine`); it is asked again at every send.
    """
    merchant = queries.merchant(session, merchant_id=merchant_id)
    taken = session.scalar(select(func.count()).where(CallbackEndpoint.merchant_id == merchant_id))
    if (taken or 0) >= ENDPOINTS_MAX:
        raise TooManyEndpoints(detail=f"at most {ENDPOINTS_MAX}")
    endpoint = CallbackEndpoint(
        endpoint_id=new_id("cep"),
        merchant_id=merchant_id,
        book_id=merchant.book_id,
        url=url,
        events=rules.event_patterns(events),
        api_version=API_VERSION,
        status=EndpointStatus.ACTIVE,
        disabled_reason=None,
        created_at=now,
    )
    session.add(endpoint)
    session.flush()
    for secret in secrets:
        set_secret(session, endpoint_id=endpoint.endpoint_id, secret=secret, vault=vault, now=now)
    return endpoint


def change_endpoint(
    session: Session,
    *,
    merchant_id: str,
    endpoint_id: str,
    url: str | None = None,
    events: Sequence[str] | None = None,
) -> CallbackEndpoint:
    """Give an endpoint another address or filter; what is None stays. Raises NotFound."""
    endpoint = queries.endpoint(session, merchant_id=merchant_id, endpoint_id=endpoint_id)
    if url is not None:
        endpoint.url = url
    if events is not None:
        endpoint.events = rules.event_patterns(events)
    session.flush()
    return endpoint


def disable_endpoint(
    session: Session, *, endpoint_id: str, reason: DisabledReason
) -> CallbackEndpoint:
    """Send an endpoint no more callbacks; the first reason stays. Raises NotFound."""
    endpoint = session.get(CallbackEndpoint, endpoint_id, with_for_update=True)
    if endpoint is None:
        raise NotFound
    endpoint.status = EndpointStatus.DISABLED
    endpoint.disabled_reason = endpoint.disabled_reason or reason
    session.flush()
    return endpoint


def enable_endpoint(session: Session, *, merchant_id: str, endpoint_id: str) -> CallbackEndpoint:
    """Send an endpoint callbacks again, whatever it was disabled for. Raises NotFound."""
    endpoint = queries.endpoint(session, merchant_id=merchant_id, endpoint_id=endpoint_id)
    endpoint.status = EndpointStatus.ACTIVE
    endpoint.disabled_reason = None
    session.flush()
    return endpoint


def rotate_secret(
    session: Session,
    *,
    merchant_id: str,
    endpoint_id: str,
    secret: CallbackSecret,
    vault: Vault,
    now: datetime,
    overlap: timedelta = ROTATION_OVERLAP,
) -> EndpointSecret:
    """Sign with a new secret from now on, and with the old ones of its kind for `overlap` more."""
    queries.endpoint(session, merchant_id=merchant_id, endpoint_id=endpoint_id)
    living = queries.signing_secrets(session, endpoint_ids=[endpoint_id], now=now)
    if len(living) >= SECRETS_MAX:
        raise TooManySecrets(detail=f"at most {SECRETS_MAX}")
    session.execute(
        update(EndpointSecret)
        .where(
            EndpointSecret.endpoint_id == endpoint_id,
            EndpointSecret.kind == secret.kind,
            EndpointSecret.retires_at.is_(None),
        )
        .values(retires_at=now + overlap)
    )
    return set_secret(session, endpoint_id=endpoint_id, secret=secret, vault=vault, now=now)


def set_secret(
    session: Session, *, endpoint_id: str, secret: CallbackSecret, vault: Vault, now: datetime
) -> EndpointSecret:
    """Let one more secret sign an endpoint's callbacks; it is stored under the vault."""
    secret_id = new_id("csec")
    row = EndpointSecret(
        secret_id=secret_id,
        endpoint_id=endpoint_id,
        kind=secret.kind,
        sealed=vault.encrypt(secret.text, context=sealing_context(secret_id)),
        public_key=secret.public_key,
        retires_at=None,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def open_secret(row: EndpointSecret, *, vault: Vault) -> str:
    """Return the text of a stored secret."""
    return vault.decrypt(row.sealed, context=sealing_context(row.secret_id))


def sealing_context(secret_id: str) -> str:
    """Return the place a sealed secret is bound to."""
    return f"merchants.endpoint_secrets.sealed.{secret_id}"
