"""What is known of merchants; nothing here changes anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from payments.merchants.models import (
    CallbackEndpoint,
    Device,
    EndpointSecret,
    Merchant,
    SigningKey,
)
from payments.merchants.rules import EndpointStatus


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Whose signature a key makes, with everything that decides whether it counts now."""

    key: SigningKey
    merchant: Merchant
    device: Device | None

    def valid_at(self, now: datetime) -> bool:
        """Tell whether the key is neither revoked, nor early, nor expired."""
        key = self.key
        return (
            key.revoked_at is None
            and key.valid_from <= now
            and (key.valid_until is None or now < key.valid_until)
        )


def merchant(session: Session, *, merchant_id: str) -> Merchant:
    """Return a merchant. Raises NotFound."""
    found = session.get(Merchant, merchant_id)
    if found is None:
        raise NotFound
    return found


def merchant_of_book(session: Session, *, book_id: str) -> Merchant:
    """Return the merchant whose book this is. Raises NotFound."""
    found = session.scalar(select(Merchant).where(Merchant.book_id == book_id))
    if found is None:
        raise NotFound
    return found


def device(session: Session, *, merchant_id: str, device_id: str) -> Device:
    """Return a device of a merchant. Raises NotFound."""
    found = session.scalar(
        select(Device).where(Device.merchant_id == merchant_id, Device.device_id == device_id)
    )
    if found is None:
        raise NotFound
    return found


def signer(session: Session, *, key_id: str) -> Signer | None:
    """Return whose key this is, valid or not; None when there is no such key."""
    row = session.execute(
        select(SigningKey, Merchant, Device)
        .join(Merchant, Merchant.merchant_id == SigningKey.merchant_id)
        .outerjoin(Device, Device.device_id == SigningKey.device_id)
        .where(SigningKey.key_id == key_id)
    ).one_or_none()
    if row is None:
        return None
    key, owner, machine = row
    return Signer(key=key, merchant=owner, device=machine)


def endpoints(session: Session, *, merchant_id: str) -> Sequence[CallbackEndpoint]:
    """Return a merchant's callback endpoints, oldest first."""
    return session.scalars(
        select(CallbackEndpoint)
        .where(CallbackEndpoint.merchant_id == merchant_id)
        .order_by(CallbackEndpoint.endpoint_id)
    ).all()


def endpoint(session: Session, *, merchant_id: str, endpoint_id: str) -> CallbackEndpoint:
    """Return one callback endpoint of a merchant. Raises NotFound."""
    found = session.scalar(
        select(CallbackEndpoint).where(
            CallbackEndpoint.merchant_id == merchant_id,
            CallbackEndpoint.endpoint_id == endpoint_id,
        )
    )
    if found is None:
        raise NotFound
    return found


def listening_endpoints(session: Session, *, book_id: str) -> Sequence[CallbackEndpoint]:
    """Return the active endpoints of the merchant whose book this is."""
    return session.scalars(
        select(CallbackEndpoint)
        .where(
            CallbackEndpoint.book_id == book_id,
            CallbackEndpoint.status == EndpointStatus.ACTIVE,
        )
        .order_by(CallbackEndpoint.endpoint_id)
    ).all()


def signing_secrets(
    session: Session, *, endpoint_ids: Sequence[str], now: datetime
) -> Sequence[EndpointSecret]:
    """Return the secrets that sign callbacks to these endpoints now, newest first."""
    return session.scalars(
        select(EndpointSecret)
        .where(
            EndpointSecret.endpoint_id.in_(endpoint_ids),
            or_(EndpointSecret.retires_at.is_(None), EndpointSecret.retires_at > now),
        )
        .order_by(EndpointSecret.created_at.desc(), EndpointSecret.secret_id.desc())
    ).all()
