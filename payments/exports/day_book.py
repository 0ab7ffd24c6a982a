"""The day book 日记账: every posting of a business date, one row each."""

import json
from collections.abc import Iterable
from typing import Final

from payments.exports.rules import csv_row, neutral, shanghai
from payments.kernel.money import format_yuan
from payments.ledger.journals import Journal

HEADINGS: Final = (
    "业务日期 Business date",
    "账本 Book",
    "凭证号 Journal",
    "行号 Line",
    "业务参考号 Reference",
    "模板 Template",
    "借方科目 Debit account",
    "贷方科目 Credit account",
    "金额(元) Amount (yuan)",
    "币种 Currency",
    "发生时间 Effective at (Asia/Shanghai)",
    "入账时间 Posted at (Asia/Shanghai)",
    "补记日期 Late for",
    "冲销凭证 Reverses",
    "附加信息 Metadata",
)
BOM: Final = "\ufeff"  # Without it Excel reads the file as GBK.


def heading() -> str:
    """Return the first row, with the mark that makes spreadsheets read UTF-8."""
    return BOM + csv_row(HEADINGS)


def rows(journal: Journal) -> Iterable[str]:
    """Return a journal's rows."""
    for posting in journal.postings:
        yield csv_row(
            [
                journal.business_date.isoformat(),
                journal.book_id,
                journal.journal_id,
                str(posting.line),
                neutral(journal.reference),
                f"{journal.template} v{journal.template_version}",
                posting.destination,
                posting.source,
                format_yuan(posting.amount_minor),
                posting.currency,
                shanghai(journal.effective_at),
                shanghai(journal.posted_at),
                journal.late_for.isoformat() if journal.late_for else "",
                journal.reverses_journal_id or "",
                neutral(metadata(journal)),
            ]
        )


def metadata(journal: Journal) -> str:
    """Return the metadata as canonical JSON, or nothing when there is none."""
    if not journal.metadata:
        return ""
    return json.dumps(dict(journal.metadata), ensure_ascii=False, sort_keys=True)
