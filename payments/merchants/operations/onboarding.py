"""Merchants come, change and go; their devices are added."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict, NotFound
from payments.kernel.ids import PLATFORM_BOOK, BookId, new_id
from payments.ledger import operations as ledger
from payments.merchants import queries, rules
from payments.merchants.models import Device, Merchant
from payments.merchants.rules import DeviceKind, MerchantEvent, MerchantStatus

PLATFORM_NAME: Final = "Qiantang"


class MerchantExists(Conflict):
    """The book or the credit code belongs to a merchant already."""

    code = "merchant-exists"
    zh = "该商户已存在"
    en = "The merchant exists already"


def register(
    session: Session,
    *,
    name_zh: str,
    name_en: str,
    book_id: BookId,
    credit_code: str,
    now: datetime,
    status: MerchantStatus = MerchantStatus.ACTIVE,
) -> Merchant:
    """Register a merchant and open its book.

    An operator registers a merchant that has been reviewed, hence ACTIVE; an application from
    outside starts as DRAFT. Raises BookInvalid, CreditCodeInvalid, NameInvalid, MerchantExists.
    """
    rules.book(book_id)
    code = rules.credit_code(credit_code)
    taken = session.scalar(
        select(Merchant.merchant_id).where(
            (Merchant.book_id == book_id) | (Merchant.credit_code == code)
        )
    )
    if taken is not None:
        raise MerchantExists(detail=f"{taken} has this book or credit code")
    merchant = Merchant(
        merchant_id=new_id("mer"),
        book_id=book_id,
        name_zh=rules.name(name_zh),
        name_en=rules.name(name_en),
        credit_code=code,
        status=status,
        created_at=now,
    )
    # Every payment passes through the platform's book, so it is open from the first merchant on.
    ledger.open_book(session, book_id=PLATFORM_BOOK, name=PLATFORM_NAME, now=now)
    ledger.open_book(session, book_id=book_id, name=merchant.name_en, now=now)
    session.add(merchant)
    session.flush()
    return merchant


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
