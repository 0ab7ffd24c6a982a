"""A day of a book for Beancount, so that a program not ours can check it.

The file opens every account, carries yesterday's balances forward in one transaction, holds every
journal of the day, and asserts today's balances; `bean-check` recomputes them.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from payments.kernel.money import format_yuan
from payments.ledger.balances import TrialBalance
from payments.ledger.journals import Journal

_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9-]", re.ASCII)
DAY: Final = timedelta(days=1)


def head(*, day: date, opening: TrialBalance, names: Mapping[str, str]) -> Iterator[str]:
    """Return the options, the accounts, and the balances carried forward."""
    yesterday = day - DAY
    yield f'option "title" "{opening.book_id} {day}"\n'
    currencies = sorted({row.currency for row in opening.rows})
    for currency in currencies or ["CNY"]:
        yield f'option "operating_currency" "{currency}"\n'
    for account, name in names.items():
        yield f'{yesterday} open {name}\n  account: "{account}"\n'
    carried = [row for row in opening.rows if row.debits_minor != row.credits_minor]
    if carried:
        yield f'{yesterday} * "期初余额 Opening balances"\n'
    for row in carried:
        amount = format_yuan(row.debits_minor - row.credits_minor)
        yield f"  {names[row.account]}  {amount} {row.currency}\n"


def transaction(journal: Journal, *, names: Mapping[str, str]) -> Iterator[str]:
    """Return a journal as a transaction; debits are positive."""
    template = f"{journal.template} v{journal.template_version}"
    yield f"{journal.business_date} * {_text(template)} {_text(journal.reference)}\n"
    yield f'  journal: "{journal.journal_id}"\n'
    for posting in journal.postings:
        amount = format_yuan(posting.amount_minor)
        yield f"  {names[posting.destination]}  {amount} {posting.currency}\n"
        yield f"  {names[posting.source]}  -{amount} {posting.currency}\n"


def foot(*, day: date, closing: TrialBalance, names: Mapping[str, str]) -> Iterator[str]:
    """Return the assertions; Beancount takes them at the beginning of their date.

    Its own tolerance would let a fen pass, so each assertion says there is none.
    """
    for row in closing.rows:
        amount = format_yuan(row.debits_minor - row.credits_minor)
        yield f"{day + DAY} balance {names[row.account]}  {amount} ~ 0 {row.currency}\n"


def account_names(closing: TrialBalance) -> dict[str, str]:
    """Return a Beancount name for each account: parts begin with a capital and have no underscore.

    Where that makes two accounts alike, the later one's name ends in a piece of its SHA-256.
    """
    names: dict[str, str] = {}
    for row in closing.rows:
        parts = (_NOT_IN_A_NAME.sub("-", part) for part in row.account.split(":"))
        name = ":".join(part[0].upper() + part[1:] for part in parts)
        if name in names.values():
            name = f"{name}-{hashlib.sha256(row.account.encode()).hexdigest()[:8]}"
        names[row.account] = name
    return names


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
