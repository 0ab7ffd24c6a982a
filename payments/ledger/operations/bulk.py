"""Post many journals of a book in a constant number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

import psycopg
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from payments.kernel.clock import business_date
from payments.kernel.errors import Conflict, Invalid, QiantangError, Unavailable
from payments.kernel.ids import BookId, new_book_id
from payments.ledger import accounts, copying, guards, queries
from payments.ledger.accounts import CurrencyDiffers
from payments.ledger.entries import Entry, EntryOutcome, EntryResult
from payments.ledger.guards import BoundReached, Guard
from payments.ledger.journals import Draft, changes_of
from payments.ledger.models import CalendarRow, JournalRow
from payments.ledger.writing import ReferenceTaken

PASS_GATE: Final = text("SELECT FROM ledger.gate FOR KEY SHARE")
ENTRIES_PER_CALL: Final = 5_000
RACE_TRIES: Final = 5


class TooManyEntries(Invalid):
    """One call takes a limited number of entries."""

    code = "too-many-entries"
    zh = "单次记账条数过多"
    en = "Too many entries in one call"


class ChainBroken(Conflict):
    """Another entry of the same chain was refused."""

    code = "chain-broken"
    zh = "关联分录未能全部入账"
    en = "Another entry of the chain was refused"


class BooksContended(Unavailable):
    """Others posted the same references at the same time, again and again."""

    code = "books-contended"
    zh = "记账冲突，请稍后再试"
    en = "The books are contended; try again"


@dataclass
class Item:
    """An entry on its way: a draft until it is refused or gets a journal."""

    entry: Entry
    draft: Draft | None = None
    journal_id: str | None = None
    error: QiantangError | None = None
    is_new: bool = field(default=False)

    def result(self) -> EntryResult:
        """Return what became of it."""
        if self.error is not None:
            outcome = EntryOutcome.REFUSED
        else:
            outcome = EntryOutcome.POSTED if self.is_new else EntryOutcome.REPEATED
        return EntryResult(
            reference=self.entry.reference,
            outcome=outcome,
            journal_id=None if self.error else self.journal_id,
            error=self.error,
        )


def post_many(
    session: Session, *, book_id: BookId, entries: Sequence[Entry], now: datetime
) -> list[EntryResult]:
    """Post entries one after another, as far as each can be; return each one's result in order.

    An entry that is refused leaves the others alone, but for those of its chain. Guarded accounts
    are locked first, in ascending order. Raises BookNotFound, TooManyEntries, BooksContended.
    """
    if len(entries) > ENTRIES_PER_CALL:
        raise TooManyEntries(f"{len(entries)} of at most {ENTRIES_PER_CALL}")
    for _ in range(RACE_TRIES):
        items = [_item(entry, book_id=book_id) for entry in entries]
        try:
            with session.begin_nested():
                _post(session, items, book_id=book_id, now=now)
        except psycopg.errors.UniqueViolation:
            continue  # Somebody has just posted one of the references; now it can be seen.
        return [item.result() for item in items]
    raise BooksContended


def post_linked(
    session: Session, *, book_id: BookId, entries: Sequence[Entry], now: datetime
) -> list[EntryResult]:
    """Post entries of which all are posted or none; raises the error of the first refused one."""
    results = post_many(
        session,
        book_id=book_id,
        entries=[_linked(entry) for entry in entries],
        now=now,
    )
    for result in results:
        if result.error is not None and not isinstance(result.error, ChainBroken):
            raise result.error
    return results


def _post(session: Session, items: list[Item], *, book_id: BookId, now: datetime) -> None:
    open_from = _open_from(session, book_id=book_id)
    locked = _admit_accounts(session, items, book_id=book_id, now=now)
    before = {name: guard.balance for name, guard in locked.items()}
    _find_repeated(session, items, book_id=book_id)
    _decide(items, locked, book_id=book_id)
    written = [
        (item.draft, item.journal_id)
        for item in items
        if item.is_new and item.draft is not None and item.journal_id is not None
    ]
    copying.copy_journals(session, written, open_from=open_from, today=business_date(now), now=now)
    guards.move_many(
        session,
        book_id=book_id,
        changes={
            name: guard.balance - before[name]
            for name, guard in locked.items()
            if guard.balance != before[name]
        },
    )


def _item(entry: Entry, *, book_id: BookId) -> Item:
    item = Item(entry)
    try:
        item.draft = Draft.from_template(
            entry.template,
            book_id=book_id,
            amounts=entry.amounts,
            parameters=entry.parameters,
            reference=entry.reference,
            effective_at=entry.effective_at,
            metadata=entry.metadata,
            currency=entry.currency,
        )
    except QiantangError as error:
        item.error = error
    return item


def _linked(entry: Entry) -> Entry:
    return Entry(**{**vars(entry), "chain": "linked"})


def _open_from(session: Session, *, book_id: BookId) -> date:
    """Read the calendar as every poster does, through the gate (see payments.ledger.writing)."""
    session.execute(PASS_GATE)
    found = session.scalar(select(CalendarRow.open_from).where(CalendarRow.book_id == book_id))
    if found is None:
        raise queries.BookNotFound(book_id)
    return found


def _admit_accounts(
    session: Session, items: list[Item], *, book_id: BookId, now: datetime
) -> dict[str, Guard]:
    """Open accounts, refuse those of another currency, and lock those with a bound."""
    wanted: dict[str, str] = {}
    for item in _drafted(items):
        for name in item.draft.accounts if item.draft else ():
            wanted.setdefault(name, item.entry.currency)
    known = accounts.opened(session, book_id=book_id, wanted=wanted, now=now)
    for item in _drafted(items):
        names = item.draft.accounts if item.draft else []
        if any(known[name].currency != item.entry.currency for name in names):
            item.error = CurrencyDiffers(f"{item.entry.reference} in {item.entry.currency}")
    bounded = sorted(name for name, account in known.items() if account.bounded)
    return guards.lock(session, book_id=book_id, names=bounded) if bounded else {}


def _find_repeated(session: Session, items: list[Item], *, book_id: BookId) -> None:
    """Mark entries whose reference is in the book, or earlier in the list, already."""
    drafts = {item.entry.reference for item in _drafted(items)}
    there = {
        row.reference: (row.journal_id, row.content_hash)
        for row in session.execute(
            select(JournalRow.reference, JournalRow.journal_id, JournalRow.content_hash).where(
                JournalRow.book_id == book_id, JournalRow.reference.in_(drafts)
            )
        )
    }
    for item in _drafted(items):
        if item.draft and item.entry.reference in there:
            item.journal_id, content_hash = there[item.entry.reference]
            if content_hash != item.draft.content_hash:
                item.error = ReferenceTaken(item.entry.reference)


def _decide(items: list[Item], locked: dict[str, Guard], *, book_id: BookId) -> None:
    """Play the entries one after another against the guarded balances."""
    first: dict[str, Item] = {}
    for group in _groups(items):
        kept = {name: guard.balance for name, guard in locked.items()} if len(group) > 1 else {}
        for item in group:
            _decide_one(item, first, locked, book_id=book_id)
        if any(item.error for item in group):
            for name, balance in kept.items():
                locked[name].balance = balance
            for item in group:
                item.error = item.error or ChainBroken(item.entry.reference)
                item.is_new = False
                if first.get(item.entry.reference) is item:
                    del first[item.entry.reference]


def _decide_one(
    item: Item, first: dict[str, Item], locked: dict[str, Guard], *, book_id: BookId
) -> None:
    if item.error is not None or item.draft is None or item.journal_id is not None:
        return
    earlier = first.get(item.entry.reference)
    if earlier is not None and earlier.draft is not None:
        item.journal_id = earlier.journal_id
        if earlier.draft.content_hash != item.draft.content_hash:
            item.error = ReferenceTaken(item.entry.reference)
        return
    changes = {
        name: change for name, change in changes_of(item.draft.lines).items() if name in locked
    }
    refused = [name for name, change in changes.items() if not locked[name].allows(change)]
    if refused:
        item.error = BoundReached(refused[0])
        return
    for name, change in changes.items():
        locked[name].balance += change
    item.journal_id, item.is_new = new_book_id("jnl", book_id), True
    first[item.entry.reference] = item


def _groups(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield each chain together, at the place of its first entry."""
    chains: dict[str, list[Item]] = defaultdict(list)
    order: list[list[Item]] = []
    for item in items:
        chain = item.entry.chain
        if chain is None:
            order.append([item])
        else:
            if chain not in chains:
                order.append(chains[chain])
            chains[chain].append(item)
    yield from order


def _drafted(items: Iterable[Item]) -> Iterator[Item]:
    return (item for item in items if item.draft is not None and item.error is None)
