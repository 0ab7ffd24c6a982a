"""Journals and postings as values: what is asked to be posted, and what stands in the books."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from payments.kernel.errors import Invalid
from payments.kernel.ids import BookId
from payments.kernel.money import CNY
from payments.ledger.rules import account_type
from payments.ledger.templates import Line, PostingTemplate

REFERENCE_LENGTH: Final = 200
METADATA_LENGTH: Final = 4_000


class ReferenceInvalid(Invalid):
    """A reference is 1 to 200 printable ASCII characters."""

    code = "reference-invalid"
    zh = "业务参考号不正确"
    en = "The reference is not valid"


class MetadataTooLong(Invalid):
    """Metadata is for a few identifiers."""

    code = "metadata-too-long"
    zh = "附加信息过长"
    en = "The metadata is too long"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A journal that is to be posted. Its content is what moves: template, currency and lines."""

    book_id: BookId
    reference: str
    template: str
    template_version: int
    lines: tuple[Line, ...]
    effective_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)
    currency: str = CNY
    reverses_journal_id: str | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.reference) <= REFERENCE_LENGTH or not (
            self.reference.isascii() and self.reference.isprintable()
        ):
            raise ReferenceInvalid(f"{self.reference[:40]!r}…")
        if len(self.metadata_json) > METADATA_LENGTH:
            raise MetadataTooLong(f"more than {METADATA_LENGTH} characters")
        assert self.effective_at.tzinfo is not None, "effective_at is aware"

    @classmethod
    def from_template(
        cls,
        template: PostingTemplate,
        *,
        book_id: BookId,
        amounts: Mapping[str, int],
        parameters: Mapping[str, str],
        reference: str,
        effective_at: datetime,
        metadata: Mapping[str, str] | None = None,
        currency: str = CNY,
    ) -> "Draft":
        """Fill a template; raises what `PostingTemplate.fill` raises."""
        return cls(
            book_id=book_id,
            reference=reference,
            template=template.name,
            template_version=template.version,
            lines=template.fill(amounts=amounts, parameters=parameters),
            effective_at=effective_at,
            metadata=metadata or {},
            currency=currency,
        )

    @property
    def metadata_json(self) -> str:
        """The metadata as canonical JSON."""
        return json.dumps(dict(self.metadata), ensure_ascii=False, sort_keys=True)

    @property
    def accounts(self) -> list[str]:
        """Every account it touches, ascending."""
        return sorted({name for line in self.lines for name in (line.source, line.destination)})

    @property
    def content_hash(self) -> bytes:
        """SHA-256 of what moves; when and why it moves (metadata) are not part of it."""
        content = [
            self.template,
            self.template_version,
            self.currency,
            self.reverses_journal_id,
            [[line.source, line.destination, line.amount_minor] for line in self.lines],
        ]
        canonical = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).digest()


def changes_of(lines: Iterable[Line]) -> Mapping[str, int]:
    """Return what lines change, by account, in the account's normal direction."""
    changes: Counter[str] = Counter()
    for line in lines:
        changes[line.source] -= line.amount_minor * account_type(line.source).normal_sign
        changes[line.destination] += line.amount_minor * account_type(line.destination).normal_sign
    return changes


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One movement of a journal: `source` is credited, `destination` debited."""

    line: int
    source: str
    destination: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Journal:
    """What stands in a book.

    `effective_at` is when it happened, `posted_at` when the book learned of it; reports are cut by
    `business_date`. `late_for` is the day it would have belonged to, had that not been closed.
    `is_new` is true only in the answer of the call that wrote it.
    """

    book_id: BookId
    journal_id: str
    reference: str
    template: str
    template_version: int
    effective_at: datetime
    posted_at: datetime
    business_date: date
    late_for: date | None
    reverses_journal_id: str | None
    metadata: Mapping[str, str]
    content_hash: bytes
    postings: tuple[Posting, ...]
    is_new: bool = False

    @classmethod
    def of(
        cls,
        draft: Draft,
        *,
        journal_id: str,
        posted_at: datetime,
        business_date: date,
        late_for: date | None,
    ) -> "Journal":
        """Return the journal that a draft has just become."""
        return cls(
            book_id=draft.book_id,
            journal_id=journal_id,
            reference=draft.reference,
            template=draft.template,
            template_version=draft.template_version,
            effective_at=draft.effective_at,
            posted_at=posted_at,
            business_date=business_date,
            late_for=late_for,
            reverses_journal_id=draft.reverses_journal_id,
            metadata=draft.metadata,
            content_hash=draft.content_hash,
            postings=tuple(
                Posting(
                    line=number,
                    source=line.source,
                    destination=line.destination,
                    amount_minor=line.amount_minor,
                    currency=draft.currency,
                )
                for number, line in enumerate(draft.lines, start=1)
            ),
            is_new=True,
        )
