"""Identifiers: a prefix and a UUIDv7 (RFC 9562) in 26 characters of Crockford's base 32.

The 26 characters sort by time and have the shape of a ULID. Things that live in a book carry its
six-character code after the prefix (`ord_HZMTRO01J…`), so the book, and thereby the shard, can be
read from the id alone. A provider order number is the same without prefix: 32 characters of
[0-9A-Z], which Alipay (<= 64), WeChat Pay (6-32) and UnionPay (8-40, alphanumeric) all accept.
"""

import re
import secrets
from typing import Final, NewType

from payments.kernel.clock import unix_milliseconds
from payments.kernel.errors import NotFound

BookId = NewType("BookId", str)

PLATFORM_BOOK: Final = BookId("QTPLAT")
BOOK_ID_LENGTH: Final = 6
ULID_LENGTH: Final = 26

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BOOK_ID: Final = re.compile(r"[0-9A-Z]{6}", re.ASCII)
_BOOK_SCOPED: Final = re.compile(r"[a-z]{2,4}_([0-9A-Z]{6})[0-9A-HJKMNP-TV-Z]{26}", re.ASCII)


class IdMalformed(NotFound):
    """An id that nothing could ever have been stored under."""


def ulid() -> str:
    """Return a fresh UUIDv7 as 26 characters; 74 of its bits are random."""
    bits = (unix_milliseconds() << 80) | secrets.randbits(80)
    bits = (bits & ~(0xF << 76)) | (0x7 << 76)  # version 7
    bits = (bits & ~(0x3 << 62)) | (0x2 << 62)  # variant 10
    return "".join(_ALPHABET[(bits >> shift) & 31] for shift in range(125, -1, -5))


def new_id(prefix: str) -> str:
    """Return a fresh id for something that belongs to no book, such as `cit_01J…`."""
    return f"{prefix}_{ulid()}"


def new_book_id(prefix: str, book_id: BookId) -> str:
    """Return a fresh id for something that lives in a book, such as `ord_HZMTRO01J…`."""
    return f"{prefix}_{book_id}{ulid()}"


def new_provider_number(book_id: BookId) -> str:
    """Return a fresh 32-character order or refund number for a payment provider."""
    return f"{book_id}{ulid()}"


def book_of(identifier: str) -> BookId:
    """Return the book an id belongs to. Raises IdMalformed when it does not have the shape."""
    match = _BOOK_SCOPED.fullmatch(identifier)
    if match is None:
        raise IdMalformed
    return BookId(match.group(1))


def book_of_provider_number(number: str) -> BookId | None:
    """Return the book a provider order number belongs to, or None when it is not one of ours."""
    candidate = number[:BOOK_ID_LENGTH]
    if len(number) != BOOK_ID_LENGTH + ULID_LENGTH or not _BOOK_ID.fullmatch(candidate):
        return None
    return BookId(candidate)
