"""The journal as JSON Lines, for programs: amounts in fen, moments with their offset."""

import json

from payments.kernel.clock import BUSINESS_ZONE
from payments.ledger.journals import Journal


def line(journal: Journal) -> str:
    """Return one journal as one line."""
    document = {
        "book_id": journal.book_id,
        "journal_id": journal.journal_id,
        "reference": journal.reference,
        "template": journal.template,
        "template_version": journal.template_version,
        "business_date": journal.business_date.isoformat(),
        "effective_at": journal.effective_at.astimezone(BUSINESS_ZONE).isoformat(),
        "posted_at": journal.posted_at.astimezone(BUSINESS_ZONE).isoformat(),
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
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
