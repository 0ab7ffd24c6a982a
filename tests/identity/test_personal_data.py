"""Personal data: sealed in the tables, masked on the way out, one card one citizen."""

from datetime import UTC, date, datetime
from functools import partial

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import ProgrammingError

from payments.kernel.clock import FixedClock
from payments.kernel.crypto import DecryptionFailed, Vault
from payments.kernel.database import Database
from payments.kernel.ids import new_id
from services.identity.models.citizens import PersonalDataRead, PersonalDetails
from services.identity.operations.personal_data import (
    PHONE_INDEX,
    IdNumberTaken,
    MaskedDetails,
    RealNameFixed,
    record_phone,
    record_real_name,
    show,
)
from services.identity.operations.reads import Reader
from services.identity.queries.citizens import CitizenNotFound, citizens_of_phone
from services.identity.rules.id_cards import IdNumberInvalid, Sex
from services.identity.rules.names import NameInvalid
from services.identity.rules.sealing import PERSONAL_FIELDS, PersonalField
from tests.identity.people import at_once, card_number, citizen

BIRTH = date(1990, 3, 7)
CARD = "330106199003071017"
READER = Reader(kind="staff", id="stf_1", purpose="test")


def shown(database: Database, citizen_id: str, *, vault: Vault, now: datetime) -> MaskedDetails:
    with database.transaction() as session:
        return show(
            session,
            citizen_id=citizen_id,
            fields=PERSONAL_FIELDS,
            reader=READER,
            vault=vault,
            now=now,
        )


def name_in(
    database: Database,
    citizen_id: str,
    *,
    vault: Vault,
    now: datetime,
    name: str = "王小明",
    number: str = CARD,
) -> None:
    with database.transaction() as session:
        record_real_name(
            session, citizen_id=citizen_id, name=name, id_number=number, vault=vault, now=now
        )


def phone_in(
    database: Database, citizen_id: str, phone: str, *, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        record_phone(session, citizen_id=citizen_id, phone=phone, vault=vault, now=now)


def test_details_go_in_clear_and_come_out_masked(
    database: Database, vault: Vault, clock: FixedClock
) -> None:
    now = clock.now()
    someone = citizen(database, vault=vault, now=now)
    assert shown(database, someone, vault=vault, now=now) == MaskedDetails(citizen_id=someone)
    name_in(database, someone, vault=vault, now=now)
    phone_in(database, someone, "+86 138 0571 1234", vault=vault, now=now)
    assert shown(database, someone, vault=vault, now=now) == MaskedDetails(
        citizen_id=someone,
        name="**明",
        id_number="330106********1017",
        phone="138****1234",
        sex=Sex.MALE,
        minor=False,
    )


def test_no_column_of_any_table_holds_what_was_typed(
    database: Database, vault: Vault, clock: FixedClock
) -> None:
    """Seen to fail with the phone's blind index replaced by the phone."""
    now = clock.now()
    someone = citizen(database, vault=vault, now=now)
    name_in(database, someone, vault=vault, now=now)
    phone_in(database, someone, "13805711234", vault=vault, now=now)
    shown(database, someone, vault=vault, now=now)
    with database.read() as session:
        tables = session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'identity'")
        ).all()
        dump = "".join(
            str(row)
            for table in tables
            for row in session.execute(text(f"SELECT t::text FROM identity.{table} t"))  # noqa: S608
        )
    for typed in (CARD, "王小明", "13805711234"):
        assert typed not in dump
        assert typed.encode().hex() not in dump


def test_a_sealed_value_opens_in_its_place_only(
    database: Database, vault: Vault, clock: FixedClock
) -> None:
    """Seen to fail with a context that leaves out the citizen."""
    now = clock.now()
    one = citizen(database, vault=vault, now=now, birth=BIRTH)
    other = citizen(database, vault=vault, now=now, birth=BIRTH, order=103)
    with database.transaction() as session:
        theirs = session.scalar(
            select(PersonalDetails.name_sealed).where(PersonalDetails.citizen_id == one)
        )
        session.execute(
            update(PersonalDetails)
            .where(PersonalDetails.citizen_id == other)
            .values(name_sealed=theirs)
        )
    with pytest.raises(DecryptionFailed):
        shown(database, other, vault=vault, now=now)


def test_a_real_name_is_given_once(database: Database, vault: Vault, clock: FixedClock) -> None:
    given = partial(name_in, database, vault=vault, now=clock.now())
    someone = citizen(database, vault=vault, now=clock.now())
    given(someone)
    given(someone, name=" 王小明 ", number=CARD.lower())
    with pytest.raises(RealNameFixed):
        given(someone, name="王大明")
    with pytest.raises(RealNameFixed):
        given(someone, number=card_number(BIRTH, 103))


def test_one_card_is_one_citizen(database: Database, vault: Vault, clock: FixedClock) -> None:
    given = partial(name_in, database, vault=vault, now=clock.now())
    one = citizen(database, vault=vault, now=clock.now())
    other = citizen(database, vault=vault, now=clock.now())
    given(one)
    with pytest.raises(IdNumberTaken):
        given(other)


def test_one_card_is_one_citizen_also_at_once(
    fresh_database: Database, vault: Vault, clock: FixedClock
) -> None:
    now = clock.now()
    people = [citizen(fresh_database, vault=vault, now=now) for _ in range(4)]
    results = at_once(
        *(partial(name_in, fresh_database, each, vault=vault, now=now) for each in people)
    )
    assert results.count(None) == 1
    assert sum(isinstance(result, IdNumberTaken) for result in results) == 3


def test_one_citizen_takes_one_card_also_at_once(
    fresh_database: Database, vault: Vault, clock: FixedClock
) -> None:
    """Seen to fail without the lock on the citizen: the card lost stayed claimed for ever."""
    now = clock.now()
    someone = citizen(fresh_database, vault=vault, now=now)
    other = citizen(fresh_database, vault=vault, now=now)
    cards = [card_number(BIRTH, order) for order in (101, 103, 105, 107)]
    given = partial(name_in, fresh_database, vault=vault, now=now)
    results = at_once(*(partial(given, someone, number=card) for card in cards))
    assert results.count(None) == 1
    free = [card for card, result in zip(cards, results, strict=True) if result is not None]
    given(other, number=free[0])


@pytest.mark.parametrize(
    ("name", "number", "error"),
    [("", CARD, NameInvalid), ("王小明", CARD[:-1] + "8", IdNumberInvalid)],
)
def test_what_is_not_well_formed_leaves_nothing_behind(
    database: Database,
    vault: Vault,
    clock: FixedClock,
    name: str,
    number: str,
    error: type[Exception],
) -> None:
    someone = citizen(database, vault=vault, now=clock.now())
    with pytest.raises(error):
        name_in(database, someone, vault=vault, now=clock.now(), name=name, number=number)
    assert shown(database, someone, vault=vault, now=clock.now()).name is None


def test_nobody_is_nobody(database: Database, vault: Vault, clock: FixedClock) -> None:
    with pytest.raises(CitizenNotFound):
        name_in(database, new_id("cit"), vault=vault, now=clock.now())


def test_a_phone_is_replaced_and_shared_and_found(
    database: Database, vault: Vault, clock: FixedClock
) -> None:
    given = partial(phone_in, database, vault=vault, now=clock.now())
    one = citizen(database, vault=vault, now=clock.now())
    other = citizen(database, vault=vault, now=clock.now())
    given(one, "13805711234")
    given(other, "13805711234")

    def found(phone: str) -> set[str]:
        index = vault.blind_index(phone, purpose=PHONE_INDEX)
        with database.read() as session:
            return set(citizens_of_phone(session, phone_index=index))

    assert found("13805711234") == {one, other}
    given(one, "13905711234")
    assert (found("13805711234"), found("13905711234")) == ({other}, {one})


@pytest.mark.parametrize("fields", [("name",), ("id_number", "phone"), PERSONAL_FIELDS])
def test_every_look_is_kept(
    database: Database, vault: Vault, clock: FixedClock, fields: tuple[PersonalField, ...]
) -> None:
    """Seen to fail with the log written only when something was found."""
    someone = citizen(database, vault=vault, now=clock.now())
    with database.transaction() as session:
        show(
            session,
            citizen_id=someone,
            fields=fields,
            reader=READER,
            vault=vault,
            now=clock.now(),
        )
        read = session.scalars(
            select(PersonalDataRead).where(PersonalDataRead.citizen_id == someone)
        ).one()
    assert (read.reader_kind, read.reader_id, read.purpose) == ("staff", "stf_1", "test")
    assert (read.fields, read.read_at) == (sorted(fields), clock.now())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE identity.personal_data_reads SET reader_id = 'nobody'",
        "DELETE FROM identity.personal_data_reads",
        "TRUNCATE identity.personal_data_reads",
        "DELETE FROM identity.known_id_numbers",
        "UPDATE identity.known_subjects SET citizen_id = 'cit_1'",
        "DELETE FROM identity.citizens",
        "UPDATE identity.staff_roles SET role = 'administrator'",
    ],
)
def test_what_only_grows_only_grows_for_the_runtime_role(
    database: Database, statement: str
) -> None:
    with pytest.raises(ProgrammingError) as refused, database.transaction() as session:
        session.execute(text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_age_is_counted_in_shanghai(database: Database, vault: Vault) -> None:
    birth = date(2008, 11, 24)
    before = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)
    someone = citizen(database, vault=vault, now=before, birth=birth)
    assert shown(database, someone, vault=vault, now=before).minor is True
    birthday = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    assert shown(database, someone, vault=vault, now=birthday).minor is False
