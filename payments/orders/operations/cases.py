"""Opening a case: the same finding about the same subject is one case, however often it is seen."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.kernel.ids import BookId, new_book_id
from payments.orders.models import Attempt, Case
from payments.orders.rules import CaseKind, Expected, differences
from payments.providers.interface import Outcome, Provider, Report


def open_case(
    session: Session,
    *,
    book_id: BookId,
    kind: CaseKind,
    subject: str,
    evidence: Mapping[str, Any],
    now: datetime,
) -> str:
    """Open a case and return its id, or count another sighting of the one that is there.

    `subject` is the number or id the finding is about; `evidence` is JSON-able and holds no
    personal data.
    """
    canonical = json.dumps(evidence, sort_keys=True, ensure_ascii=False)
    opened = insert(Case).values(
        book_id=book_id,
        id=new_book_id("case", book_id),
        kind=kind,
        subject=subject,
        fingerprint=hashlib.sha256(canonical.encode()).hexdigest(),
        evidence=dict(evidence),
        opened_at=now,
        seen_at=now,
        sightings=1,
    )
    return session.scalars(
        opened.on_conflict_do_update(
            index_elements=["book_id", "kind", "subject", "fingerprint"],
            set_={"seen_at": now, "sightings": Case.sightings + 1},
        ).returning(Case.id)
    ).one()


def check_report(
    session: Session,
    *,
    attempt: Attempt,
    provider: Provider,
    report: Report,
    amount_minor: int | None = None,
    now: datetime,
) -> str | None:
    """Compare a report with our record of an attempt; return the id of the case if it differs.

    `amount_minor` is what is expected when it is not the attempt's own, as for a refund.
    """
    if report.outcome in {Outcome.UNKNOWN, Outcome.NOT_FOUND}:
        return None
    expected = Expected(
        number=attempt.number,
        account_id=attempt.account_id,
        amount_minor=attempt.amount_minor if amount_minor is None else amount_minor,
        currency=attempt.currency,
        app_id=provider.app_id,
        seller_id=provider.seller_id,
    )
    found = differences(expected, report, account_id=provider.account_id)
    if not found:
        return None
    return open_case(
        session,
        book_id=BookId(attempt.book_id),
        kind=next(iter(found)),
        subject=report.refund_number or attempt.number,
        evidence={
            "outcome": report.outcome,
            "account": provider.account_id,
            "differences": {str(kind): dict(values) for kind, values in found.items()},
        },
        now=now,
    )
