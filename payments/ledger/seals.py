"""Seals: a signed statement of what a closed day holds, chained to the day before. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from payments.kernel.ids import BookId
from payments.ledger import merkle
from payments.ledger.canonical import canonical, moment

FIRST: Final = bytes(32)  # What the first seal of a book names as the one before.
CHUNK_SIZE: Final = 1_024  # Leaves under a stored node; a power of two, so that it is a node.
FORMAT: Final = "qiantang-seal/1"


class PeriodState(StrEnum):
    """Where a business date of a book stands; it follows from the calendar and the seals."""

    OPEN = "open"
    CLOSING = "closing"
    SEALED = "sealed"


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A day's seal: `document` is the exact text that `signature` signs with key `key_id`."""

    book_id: BookId
    business_date: date
    document: str
    key_id: str
    signature: bytes
    root: bytes
    previous: bytes
    journals: int
    postings: int

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the document, which the next seal names."""
        return hashlib.sha256(self.document.encode()).digest()

    @property
    def states(self) -> bool:
        """Whether the document says what the seal's own columns say."""
        said = json.loads(self.document)
        return bool(
            said["book_id"] == self.book_id
            and said["business_date"] == self.business_date.isoformat()
            and said["root"] == self.root.hex()
            and said["previous"] == self.previous.hex()
            and said["journals"] == self.journals
            and said["postings"] == self.postings
            and said["key_id"] == self.key_id
        )


@dataclass(frozen=True, kw_only=True)
class InclusionProof:
    """Shows that a journal is in a sealed day, to whoever has the public key and nothing else.

    The leaf is the SHA-256 of a zero byte and `journal`; `hashes` lead from it to the root that
    the seal's document names (RFC 9162, 2.1.3.2).
    """

    journal: str
    index: int
    count: int
    hashes: Sequence[bytes]
    seal: Seal

    @property
    def holds(self) -> bool:
        """Whether the path leads from the journal to the seal's root; the signature is apart."""
        leaf = merkle.leaf_hash(self.journal.encode())
        reached = merkle.root_of_path(leaf, index=self.index, count=self.count, hashes=self.hashes)
        return reached == self.seal.root and self.count == self.seal.journals and self.seal.states


def document_of(
    *,
    book_id: BookId,
    business_date: date,
    journals: int,
    postings: int,
    moved_minor: Mapping[str, int],
    root: bytes,
    previous: bytes,
    key_id: str,
    sealed_at: datetime,
) -> str:
    """Return the text that is signed."""
    return canonical(
        {
            "format": FORMAT,
            "book_id": book_id,
            "business_date": business_date.isoformat(),
            "journals": journals,
            "postings": postings,
            "moved_minor": dict(moved_minor),
            "root": root.hex(),
            "previous": previous.hex(),
            "key_id": key_id,
            "sealed_at": moment(sealed_at),
        }
    )
