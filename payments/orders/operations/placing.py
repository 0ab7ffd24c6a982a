"""Placing an order: one row for one reference of a service, whoever asks twice."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict, Invalid, Unavailable
from payments.kernel.ids import PLATFORM_BOOK, BookId, new_book_id
from payments.kernel.money import CNY, LARGEST_AMOUNT_MINOR, AmountInvalid
from payments.ledger import queries as ledger
from payments.orders.models import Order
from payments.orders.rules import LONGEST_LIFE, METADATA_BYTES, SUBJECT_LENGTH, OrderState


class OrderInvalid(Invalid):
    """What was asked for cannot be an order."""

    code = "order-invalid"
    zh = "订单内容不正确"
    en = "This cannot be an order"


class OrderDiffers(Conflict):
    """The service has placed an order of other content under this reference."""

    code = "order-differs"
    zh = "该业务单号已用于另一笔订单"
    en = "Another order was placed under this reference"


class SellerUnknown(Unavailable):
    """No merchant has the book, so nobody could be credited with what the citizen pays."""

    code = "order-seller-unknown"
    zh = "该服务尚未开通"
    en = "This service is not on sale yet"


def place(
    session: Session,
    *,
    book_id: BookId,
    service: str,
    service_reference: str,
    citizen_id: str,
    amount_minor: int,
    currency: str = CNY,
    subject: str,
    expires_at: datetime,
    metadata: Mapping[str, Any] | None = None,
    now: datetime,
) -> Order:
    """Place an order and return it, open; `amount_minor` in fen, unpaid until `expires_at`.

    The same reference with the same content returns the order already placed, in whatever state it
    is by now. Raises OrderInvalid, AmountInvalid, SellerUnknown before anybody can pay into a book
    that was not opened, and OrderDiffers for other content.
    """
    content: dict[str, Any] = {
        "citizen_id": citizen_id,
        "amount_minor": amount_minor,
        "currency": currency,
        "subject": subject,
        "details": dict(metadata or {}),
    }
    placed = session.scalars(
        select(Order).where(
            Order.book_id == book_id,
            Order.service == service,
            Order.service_reference == service_reference,
        )
    ).one_or_none()
    if placed is None:
        if book_id == PLATFORM_BOOK:
            raise OrderInvalid("an order lies in a merchant's book; the platform only collects")
        _check(**content, expires_at=expires_at, now=now)
        placed = _insert(
            session,
            book_id=book_id,
            service=service,
            service_reference=service_reference,
            expires_at=expires_at,
            now=now,
            content=content,
        )
    if any(getattr(placed, name) != value for name, value in content.items()):
        raise OrderDiffers(f"{service} {service_reference} is {placed.id}")
    return placed


def _insert(
    session: Session,
    *,
    book_id: BookId,
    service: str,
    service_reference: str,
    expires_at: datetime,
    now: datetime,
    content: Mapping[str, Any],
) -> Order:
    """Insert the order, or return the one somebody else inserted meanwhile."""
    _check_seller(session, book_id=book_id)
    key = {"book_id": book_id, "service": service, "service_reference": service_reference}
    session.execute(
        insert(Order)
        .values(
            **key,
            id=new_book_id("ord", book_id),
            **content,
            state=OrderState.OPEN,
            placed_at=now,
            expires_at=expires_at,
            next_close_at=expires_at,
            refunding_minor=0,
            refunded_minor=0,
        )
        .on_conflict_do_nothing(index_elements=list(key))
    )
    return session.scalars(select(Order).filter_by(**key)).one()


def _check(
    *,
    citizen_id: str,
    amount_minor: int,
    currency: str,
    subject: str,
    details: Mapping[str, Any],
    expires_at: datetime,
    now: datetime,
) -> None:
    if not 0 < amount_minor <= LARGEST_AMOUNT_MINOR:
        raise AmountInvalid(f"{amount_minor} fen")
    if currency != CNY:
        raise OrderInvalid(f"no provider takes {currency[:8]!r}")
    if not citizen_id or not 0 < len(subject) <= SUBJECT_LENGTH:
        raise OrderInvalid(f"a citizen and a subject of up to {SUBJECT_LENGTH} characters")
    if not now < expires_at <= now + LONGEST_LIFE:
        raise OrderInvalid(f"an order expires within {LONGEST_LIFE.days} days from now")
    if len(json.dumps(details, ensure_ascii=False).encode()) > METADATA_BYTES:
        raise OrderInvalid(f"metadata holds up to {METADATA_BYTES} bytes")


def _check_seller(session: Session, *, book_id: BookId) -> None:
    try:
        ledger.check_book(session, book_id=book_id)
    except ledger.BookNotFound:
        raise SellerUnknown(f"no merchant is registered with the book {book_id}") from None
