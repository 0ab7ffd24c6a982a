"""The books as a finance clerk reads them: the exported files, and the provider's own ledger."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from simulator.city.client import Client
from simulator.clock import BEIJING

PLATFORM: Final = "QTPLAT"
TOTAL: Final = "合计 Total"
PROVIDER: Final = "assets:provider:"
CLEARING: Final = ("liabilities:customer-advances:", "liabilities:suspense:")


@dataclass(frozen=True, kw_only=True)
class TrialBalance:
    """Closing balances in fen by book and account; debit is positive, credit negative."""

    balances: Mapping[tuple[str, str], int]

    @classmethod
    def read(cls, file: Path) -> "TrialBalance":
        """Read the exported trial balance of all books."""
        balances: dict[tuple[str, str], int] = {}
        for book, account, _currency, *amounts in rows(file):
            if account != TOTAL:
                debit, credit = amounts[-2:]
                balances[book, account] = fen(debit) - fen(credit)
        return cls(balances=balances)

    def books(self) -> dict[str, int]:
        """Return what is left when a book's debits and credits are set against each other."""
        left: dict[str, int] = defaultdict(int)
        for (book, _), balance in self.balances.items():
            left[book] += balance
        return dict(left)

    def not_cleared(self) -> dict[str, int]:
        """Return the accounts that a finished day leaves at zero and this one did not."""
        return {
            f"{book} {account}": balance
            for (book, account), balance in self.balances.items()
            if account.startswith(CLEARING) and balance
        }

    def between_books(self) -> dict[str, int]:
        """Return what one book claims of another and the other does not admit."""
        left: dict[str, int] = defaultdict(int)
        for (book, account), balance in self.balances.items():
            kind, _, other = account.rpartition(":")
            if kind in {"assets:due-from", "liabilities:due-to"}:
                left[" and ".join(sorted((book, other)))] += balance
        return {pair: balance for pair, balance in left.items() if balance}

    def total(self, start: str) -> int:
        """Return the sum over all accounts whose name starts so."""
        return sum(
            balance for (_, account), balance in self.balances.items() if account.startswith(start)
        )


def provider_days_of_ours(folder: Path) -> dict[date, int]:
    """Return what our books say went through provider accounts, net, by the day it happened."""
    days: Counter[date] = Counter()
    for file in sorted(folder.glob(f"**/day-book-{PLATFORM}-*.csv")):
        for row in rows(file):
            debit, credit, amount, happened_at = row[6], row[7], fen(row[8]), row[10]
            day = datetime.fromisoformat(happened_at).date()
            days[day] += amount * (debit.startswith(PROVIDER) - credit.startswith(PROVIDER))
    return dict(days)


def provider_days_of_theirs(alipay: Client) -> dict[date, int]:
    """Return what the provider's own ledger says went through, net, by the day it happened."""
    days: Counter[date] = Counter()
    for entry in ledger(alipay)["entries"]:
        day = datetime.fromisoformat(entry["happened_at"]).astimezone(BEIJING).date()
        days[day] += entry["amount_minor"]
    return dict(days)


def ledger(alipay: Client) -> Any:
    """Return the provider's own ledger."""
    return alipay.get("/control/alipay/ledger")


def rows(file: Path) -> Iterator[list[str]]:
    """Yield the rows of an exported file below its heading."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text)
        next(reader)
        yield from reader


def fen(yuan: str) -> int:
    """Return an exported amount of yuan in fen, to the fen."""
    exact = Decimal(yuan) * 100
    assert exact == int(exact), yuan
    return int(exact)


def yuan(amount_minor: int) -> str:
    """Return fen as yuan for people."""
    return f"{Decimal(amount_minor) / 100:,.2f}"
