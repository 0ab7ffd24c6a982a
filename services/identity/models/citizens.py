"""Citizens, how the outside knows them, and what we know of them."""

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.states import one_of
from services.identity.rules.subjects import SignInProvider

OF_CITIZEN: Final = {"schema": "identity", "info": {"sharding": "citizen_id"}}
LOOKUP: Final = {"schema": "identity", "info": {"sharding": "local"}}
MOMENT: Final = TIMESTAMP(timezone=True)


class Citizen(Model):
    """A person we serve. A child that a guardian declared is one too, without a way to sign in."""

    __tablename__ = "citizens"
    __table_args__ = (OF_CITIZEN,)

    citizen_id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(MOMENT)


class ExternalIdentity(Model):
    """How one app of one provider knows a citizen; sealed, because it names a person elsewhere."""

    __tablename__ = "external_identities"
    __table_args__ = (
        CheckConstraint(one_of("provider", SignInProvider), name="provider"),
        ForeignKeyConstraint(["citizen_id"], ["identity.citizens.citizen_id"]),
        OF_CITIZEN,
    )

    citizen_id: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(primary_key=True)
    app_id: Mapped[str] = mapped_column(primary_key=True)
    subject_sealed: Mapped[bytes]
    linked_at: Mapped[datetime] = mapped_column(MOMENT)


class KnownSubject(Model):
    """Finds the citizen of an external identity, by the blind index of all of it.

    Local, not sharded by citizen: it is asked exactly when the citizen is not known yet, and its
    key is what makes one person one citizen. Not a reference table, because it has a row for every
    citizen and is read at sign-in only, never joined. Written in the transaction of the identity.
    """

    __tablename__ = "known_subjects"
    __table_args__ = (LOOKUP,)

    subject_index: Mapped[bytes] = mapped_column(primary_key=True)
    citizen_id: Mapped[str]
    linked_at: Mapped[datetime] = mapped_column(MOMENT)


class PersonalDetails(Model):
    """Real name, ID card and phone of a citizen, each sealed for its place.

    `phone_index` finds citizens by phone; it is not unique, because families share a phone. Birth
    date and sex are not stored: they are read from the card number.
    """

    __tablename__ = "personal_details"
    __table_args__ = (
        ForeignKeyConstraint(["citizen_id"], ["identity.citizens.citizen_id"]),
        Index(None, "phone_index"),
        OF_CITIZEN,
    )

    citizen_id: Mapped[str] = mapped_column(primary_key=True)
    name_sealed: Mapped[bytes | None]
    id_number_sealed: Mapped[bytes | None]
    real_name_at: Mapped[datetime | None] = mapped_column(MOMENT)
    phone_sealed: Mapped[bytes | None]
    phone_index: Mapped[bytes | None]
    phone_at: Mapped[datetime | None] = mapped_column(MOMENT)


class KnownIdNumber(Model):
    """Finds the citizen of an ID card number by its blind index, and makes it one citizen's.

    Local for the reasons given at KnownSubject.
    """

    __tablename__ = "known_id_numbers"
    __table_args__ = (LOOKUP,)

    number_index: Mapped[bytes] = mapped_column(primary_key=True)
    citizen_id: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(MOMENT)


class PersonalDataRead(Model):
    """Somebody was shown personal data of a citizen; the runtime role can only append.

    `reader_kind` and `reader_id` say who asked, `fields` what was shown, `purpose` which route or
    command showed it.
    """

    __tablename__ = "personal_data_reads"
    __table_args__ = (Index(None, "citizen_id", "read_at"), OF_CITIZEN)

    citizen_id: Mapped[str] = mapped_column(primary_key=True)
    read_id: Mapped[str] = mapped_column(primary_key=True)
    reader_kind: Mapped[str]
    reader_id: Mapped[str]
    fields: Mapped[list[str]] = mapped_column(ARRAY(String))
    purpose: Mapped[str]
    read_at: Mapped[datetime] = mapped_column(MOMENT)
