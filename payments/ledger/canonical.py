"""A journal as one line of text: what is exported, and what a day's seal is made over."""

import json
from datetime import UTC, datetime

from payments.ledger.journals import Journal


def journal_line(journal: Journal) -> str:
    """Return the journal as canonical JSON: sorted keys, no spaces, UTC to the microsecond."""
    document = {
        "book_id": journal.book_id,
        "journal_id": journal.journal_id,
        "reference": journal.reference,
        "template": journal.template,
        "template_version": journal.template_version,
        "business_date": journal.business_date.isoformat(),
        "effective_at": moment(journal.effective_at),
        "posted_at": moment(journal.posted_at),
        "late_for": journal.late_for.isoformat() if journal.late_for else None,
        "reverses_journal_id": journal.reverses_journal_id,
        "metadata": dict(journal.metadata),
        "content_hash": journal.content_hash.hex(),
        "postings": [
            {
                "line": posting.line,
                "source": posting.source,
                "destination": posting.destination,
                "amount_minor": posting.amount_minor,
                "currency": posting.currency,
            }
            for posting in journal.postings
        ],
    }
    return canonical(document)


def canonical(document: object) -> str:
    """Return JSON of which there is only one for a document."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def moment(value: datetime) -> str:
    """Return an aware moment in UTC, always to the microsecond."""
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
