"""Guardianships, and the one-time codes by which somebody consents to one."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.states import one_of
from services.identity.models.citizens import LOOKUP, MOMENT, OF_CITIZEN
from services.identity.rules.family import Consent, EndReason, Relation


class Guardianship(Model):
    """The guardian acts for the citizen from `started_at` until `ends_at` or `ended_at`.

    Lives with the ward (`citizen_id`), whose rights it is about. `consented_by` is who agreed: the
    guardian by declaring a minor, the citizen, or for a minor another guardian.
    """

    __tablename__ = "guardianships"
    __table_args__ = (
        ForeignKeyConstraint(["citizen_id"], ["identity.citizens.citizen_id"]),
        CheckConstraint(one_of("relation", Relation), name="relation"),
        CheckConstraint(one_of("consent", Consent), name="consent"),
        CheckConstraint(one_of("end_reason", EndReason), name="end_reason"),
        CheckConstraint("guardian_id <> citizen_id", name="somebody_else"),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="end_with_reason"),
        CheckConstraint("ends_at > started_at", name="some_time"),
        Index(
            "guardianships_one_current_idx",
            "citizen_id",
            "guardian_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(None, "guardian_id"),
        OF_CITIZEN,
    )

    citizen_id: Mapped[str] = mapped_column(primary_key=True)
    guardianship_id: Mapped[str] = mapped_column(primary_key=True)
    guardian_id: Mapped[str]
    relation: Mapped[str]
    consent: Mapped[str]
    consented_by: Mapped[str]
    consented_at: Mapped[datetime] = mapped_column(MOMENT)
    started_at: Mapped[datetime] = mapped_column(MOMENT)
    ends_at: Mapped[datetime] = mapped_column(MOMENT)
    ended_at: Mapped[datetime | None] = mapped_column(MOMENT)
    end_reason: Mapped[str | None]


class ConsentCode(Model):
    """A code that lets whoever is shown it become a guardian, once, for ten minutes.

    Local, because it is found by its hash when the citizen behind it is not known yet.
    """

    __tablename__ = "consent_codes"
    __table_args__ = (Index(None, "citizen_id"), Index(None, "expires_at"), LOOKUP)

    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    citizen_id: Mapped[str]
    consented_by: Mapped[str]
    until: Mapped[date | None]
    offered_at: Mapped[datetime] = mapped_column(MOMENT)
    expires_at: Mapped[datetime] = mapped_column(MOMENT)
    redeemed_at: Mapped[datetime | None] = mapped_column(MOMENT)
