"""Merchants come, change and go; their devices are added."""

from datetime import datetime

from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from payments.kernel.ids import new_id
from payments.merchants import queries, rules
from payments.merchants.models import Device, Merchant
from payments.merchants.rules import DeviceKind, MerchantEvent, MerchantStatus


def change_status(session: Session, *, merchant_id: str, event: MerchantEvent) -> Merchant:
    """Apply an event to a merchant's status. Raises TransitionRefused, NotFound."""
    merchant = session.get(Merchant, merchant_id, with_for_update=True)
    if merchant is None:
        raise NotFound
    merchant.status = rules.MERCHANT.next(MerchantStatus(merchant.status), event)
    session.flush()
    return merchant


def add_device(
    session: Session,
    *,
    merchant_id: str,
    kind: DeviceKind,
    name: str,
    now: datetime,
    place: str | None = None,
) -> Device:
    """Add a device to a merchant; it can sign once it has a key.

    `place` is where it stands in the words of the service it belongs to, such as a station's code.
    """
    queries.merchant(session, merchant_id=merchant_id)
    device = Device(
        device_id=new_id("dev"),
        merchant_id=merchant_id,
        kind=kind,
        name=rules.name(name),
        place=place,
        created_at=now,
    )
    session.add(device)
    session.flush()
    return device
