"""Export a business date: every file from one snapshot of the books, the manifest last."""

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from payments.exports import beancount, day_book, trial_balances
from payments.exports.files import WholeFile
from payments.kernel.database import Database
from payments.kernel.ids import BookId
from payments.kernel.money import format_yuan
from payments.ledger import queries
from payments.ledger.balances import TrialBalance
from payments.ledger.canonical import journal_line

FORMAT: Final = "qiantang-day-export/1"


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """What the manifest says of a file; `totals` are yuan texts and counts by name."""

    name: str
    kind: str
    book_id: BookId | None
    rows: int
    size_bytes: int
    sha256: str
    totals: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What was exported for a business date; `path` is where the manifest itself lies."""

    business_date: date
    path: Path
    files: tuple[ExportedFile, ...]


def export_day(
    database: Database,
    *,
    business_date: date,
    directory: Path,
    book_id: BookId | None = None,
) -> Manifest:
    """Write the files of a business date for one book, or for every book and all together.

    The directory is made when it is not there. A file of an earlier export is replaced whole.
    Raises BookNotFound.
    """
    files: list[ExportedFile] = []
    with database.snapshot() as session:
        chosen = (
            [queries.check_book(session, book_id=book_id)] if book_id else queries.books(session)
        )
        directory.mkdir(parents=True, exist_ok=True)
        for book in chosen:
            closing = queries.trial_balance(session, book_id=book, as_of=business_date)
            opening = queries.trial_balance(
                session, book_id=book, as_of=business_date - beancount.DAY
            )
            files += _export_journals(session, directory, business_date, opening, closing)
            files.append(_export_trial_balance(directory, business_date, opening, closing))
        if book_id is None:
            files.append(
                _export_trial_balance(
                    directory,
                    business_date,
                    queries.trial_balance(session, as_of=business_date - beancount.DAY),
                    queries.trial_balance(session, as_of=business_date),
                )
            )
    return _write_manifest(directory, business_date, tuple(files), book_id=book_id)


def _export_journals(
    session: Session, directory: Path, day: date, opening: TrialBalance, closing: TrialBalance
) -> list[ExportedFile]:
    """Write day book, JSON Lines and Beancount in one pass over the journals."""
    book = closing.book_id
    assert book is not None
    names = beancount.account_names(closing)
    journals, postings, moved = 0, 0, dict[str, int]()
    with ExitStack() as stack:
        csv, lines, beans = (
            stack.enter_context(WholeFile(directory / f"{kind}-{book}-{day}.{suffix}"))
            for kind, suffix in (
                ("day-book", "csv"),
                ("journals", "jsonl"),
                ("books", "beancount"),
            )
        )
        csv.write(day_book.heading())
        beans.write("".join(beancount.head(day=day, opening=opening, names=names)))
        for journal in queries.journals_of_day(session, book_id=book, business_date=day):
            journals += 1
            postings += len(journal.postings)
            for posting in journal.postings:
                moved[posting.currency] = moved.get(posting.currency, 0) + posting.amount_minor
            csv.write("".join(day_book.rows(journal)), rows=len(journal.postings))
            lines.write(f"{journal_line(journal)}\n", rows=1)
            beans.write("".join(beancount.transaction(journal, names=names)), rows=1)
        beans.write("".join(beancount.foot(day=day, closing=closing, names=names)))
    totals = {
        "journals": journals,
        "postings": postings,
        "moved_yuan": {currency: format_yuan(amount) for currency, amount in sorted(moved.items())},
    }
    return [
        _described(file, kind=kind, book_id=book, totals=totals)
        for file, kind in ((csv, "day-book"), (lines, "journals"), (beans, "beancount"))
    ]


def _export_trial_balance(
    directory: Path, day: date, opening: TrialBalance, closing: TrialBalance
) -> ExportedFile:
    name = f"trial-balance-{closing.book_id or 'all'}-{day}.csv"
    with WholeFile(directory / name) as file:
        file.write(trial_balances.heading())
        for row in trial_balances.rows(opening=opening, closing=closing):
            file.write(row, rows=1)
    totals = {
        f"{book} {currency}": {
            "closing_debit_yuan": format_yuan(debit),
            "closing_credit_yuan": format_yuan(credit),
        }
        for (book, currency), (debit, credit) in closing.totals.items()
    }
    return _described(file, kind="trial-balance", book_id=closing.book_id, totals=totals)


def _described(
    file: WholeFile, *, kind: str, book_id: BookId | None, totals: dict[str, Any]
) -> ExportedFile:
    return ExportedFile(
        name=file.path.name,
        kind=kind,
        book_id=book_id,
        rows=file.rows,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        totals=totals,
    )


def _write_manifest(
    directory: Path, day: date, files: tuple[ExportedFile, ...], *, book_id: BookId | None
) -> Manifest:
    path = directory / f"manifest-{book_id or 'all'}-{day}.json"
    document = {
        "format": FORMAT,
        "business_date": day.isoformat(),
        "files": [asdict(file) for file in files],
    }
    with WholeFile(path) as file:
        file.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    return Manifest(business_date=day, path=path, files=files)
