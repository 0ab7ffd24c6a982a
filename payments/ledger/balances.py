"""Balances and trial balances as values. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from payments.kernel.ids import BookId
from payments.ledger.rules import account_type


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What was ever debited to and credited to an account, in fen."""

    book_id: BookId
    account: str
    currency: str
    debits_minor: int
    credits_minor: int

    @property
    def balance_minor(self) -> int:
        """The balance in the account's normal direction; positive is what one expects."""
        return account_type(self.account).normal_sign * (self.debits_minor - self.credits_minor)

    @property
    def debit_balance_minor(self) -> int:
        """The balance's entry in the debit column of a trial balance."""
        return max(self.debits_minor - self.credits_minor, 0)

    @property
    def credit_balance_minor(self) -> int:
        """The balance's entry in the credit column of a trial balance."""
        return max(self.credits_minor - self.debits_minor, 0)


@dataclass(frozen=True, kw_only=True)
class InterBookPair:
    """What one book says another owes it, and what the other admits.

    Net of both directions, so a negative amount is owed by the first. The two differ while the fact
    that carries a transfer to the other book is waiting.
    """

    book_id: BookId
    other_book_id: BookId
    currency: str
    claimed_minor: int
    admitted_minor: int

    @property
    def matches(self) -> bool:
        """Whether the two books agree."""
        return self.claimed_minor == self.admitted_minor


@dataclass(frozen=True, kw_only=True)
class TrialBalance:
    """Every account with its debit or credit balance; of one book, or of all when it has none."""

    book_id: BookId | None
    as_of: date | None
    rows: Sequence[Balance]

    @property
    def totals(self) -> dict[tuple[BookId, str], tuple[int, int]]:
        """The sums of the debit and the credit column for each book and currency."""
        sums: dict[tuple[BookId, str], tuple[int, int]] = {}
        for row in self.rows:
            debit, credit = sums.get((row.book_id, row.currency), (0, 0))
            sums[row.book_id, row.currency] = (
                debit + row.debit_balance_minor,
                credit + row.credit_balance_minor,
            )
        return sums

    @property
    def balanced(self) -> bool:
        """Whether in every book and currency the two columns are equal."""
        return all(debit == credit for debit, credit in self.totals.values())

    @property
    def pairs(self) -> list[InterBookPair]:
        """What the books say they owe each other; complete only for all books together."""
        owed: Counter[tuple[BookId, BookId, str]] = Counter()
        for row in self.rows:
            if row.account.startswith(("assets:due-from:", "liabilities:due-to:")):
                other = BookId(row.account.rpartition(":")[2])
                net = row.debits_minor - row.credits_minor
                owed[row.book_id, other, row.currency] += net
        return [
            InterBookPair(
                book_id=book,
                other_book_id=other,
                currency=currency,
                claimed_minor=owed[book, other, currency],
                admitted_minor=-owed[other, book, currency],
            )
            for book, other, currency in sorted({_ordered(key) for key in owed})
        ]


def _ordered(key: tuple[BookId, BookId, str]) -> tuple[BookId, BookId, str]:
    book, other, currency = key
    return min(book, other), max(book, other), currency
