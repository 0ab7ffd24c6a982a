"""The trial balance 试算平衡表: opening, movement and closing of every account."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from payments.exports.day_book import BOM
from payments.exports.rules import csv_row
from payments.kernel.money import format_yuan
from payments.ledger.balances import Balance, TrialBalance

HEADINGS: Final = (
    "账本 Book",
    "科目 Account",
    "币种 Currency",
    "期初借方(元) Opening debit (yuan)",
    "期初贷方(元) Opening credit (yuan)",
    "本期借方(元) Debits (yuan)",
    "本期贷方(元) Credits (yuan)",
    "期末借方(元) Closing debit (yuan)",
    "期末贷方(元) Closing credit (yuan)",
)
TOTAL: Final = "合计 Total"

Amounts = tuple[int, int, int, int, int, int]


def heading() -> str:
    """Return the first row, with the mark that makes spreadsheets read UTF-8."""
    return BOM + csv_row(HEADINGS)


def rows(*, opening: TrialBalance, closing: TrialBalance) -> Iterator[str]:
    """Return a row for every account and one for the total of every book and currency.

    `opening` is the trial balance at the end of the business date before.
    """
    before = {(row.book_id, row.account): row for row in opening.rows}
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 6)
    for row in closing.rows:
        amounts = _amounts(before.get((row.book_id, row.account)), row)
        total = totals[row.book_id, row.currency]
        for column, amount in enumerate(amounts):
            total[column] += amount
        yield _row(row.book_id, row.account, row.currency, amounts)
    for (book_id, currency), total in totals.items():
        yield _row(book_id, TOTAL, currency, tuple(total))


def _amounts(opening: Balance | None, closing: Balance) -> Amounts:
    return (
        opening.debit_balance_minor if opening else 0,
        opening.credit_balance_minor if opening else 0,
        closing.debits_minor - (opening.debits_minor if opening else 0),
        closing.credits_minor - (opening.credits_minor if opening else 0),
        closing.debit_balance_minor,
        closing.credit_balance_minor,
    )


def _row(book_id: str, account: str, currency: str, amounts: tuple[int, ...]) -> str:
    return csv_row([book_id, account, currency, *map(format_yuan, amounts)])
