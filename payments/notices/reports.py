"""A provider's report as JSON, so that a verified notice can be applied without its key."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from payments.notices.rules import TEXT_LENGTH, storable
from payments.providers.interface import Outcome, Report


def to_json(report: Report) -> dict[str, Any]:
    """Return the report's fields; the payer's identity is not needed to apply it and left out."""
    stored = {field.name: getattr(report, field.name) for field in fields(Report)}
    del stored["payer"]
    if report.happened_at is not None:
        stored["happened_at"] = report.happened_at.isoformat()
    return {
        name: storable(value, TEXT_LENGTH) if isinstance(value, str) else value
        for name, value in stored.items()
    }


def from_json(stored: Mapping[str, Any]) -> Report:
    """Rebuild the report."""
    happened_at = stored["happened_at"]
    return Report(
        **{
            **stored,
            "outcome": Outcome(stored["outcome"]),
            "happened_at": datetime.fromisoformat(happened_at) if happened_at else None,
        }
    )
