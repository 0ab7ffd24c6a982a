"""Sign-in with a provider's code: one person is one citizen, one code is one sign-in."""

from functools import partial

import pytest
from sqlalchemy import func, select, update

from payments.kernel.clock import FixedClock
from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from services.identity import flows
from services.identity.authorities.interface import AuthoritySilent
from services.identity.models.attempts import Attempts
from services.identity.models.citizens import Citizen, ExternalIdentity, KnownSubject
from services.identity.operations.attempts import TooManyAttempts
from services.identity.operations.citizens import AlreadyLinked
from services.identity.queries.citizens import linked_providers
from services.identity.rules.attempts import SIGN_IN_PER_ADDRESS
from services.identity.rules.subjects import CodeRefused, SignInProvider, Subject
from services.identity.tokens import TokenKeys
from tests.identity.people import KnownCodes, at_once


class SilentAuthority(KnownCodes):
    """An authority nobody can reach."""

    def identify(self, code: str, *, now: object) -> Subject:
        raise AuthoritySilent(f"no answer for {len(code)} at {now}")


def sign_in(
    database: Database,
    authority: KnownCodes,
    code: str,
    *,
    keys: TokenKeys,
    vault: Vault,
    clock: FixedClock,
    address: str = "203.0.113.7",
) -> flows.Grant:
    return flows.sign_in(
        database,
        authority=authority,
        code=code,
        address=address,
        keys=keys,
        vault=vault,
        clock=clock,
    )


def test_the_first_sign_in_creates_the_citizen_and_the_next_finds_them(
    database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    enter = partial(sign_in, keys=keys, vault=vault, clock=clock)
    authority = KnownCodes(
        {"a": "2088000000000009", "b": "2088000000000009", "c": "2088000000000010"}
    )
    first, again = enter(database, authority, "a"), enter(database, authority, "b")
    other = enter(database, authority, "c")
    assert first.owner_id == again.owner_id != other.owner_id
    assert first.session_id != again.session_id
    assert keys.read(first.access_token, now=clock.now()).owner_id == first.owner_id


def test_a_code_is_one_sign_in_even_with_a_careless_provider(
    database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    """Seen to fail without the spent codes."""
    enter = partial(sign_in, keys=keys, vault=vault, clock=clock)
    authority = KnownCodes({"a": "2088000000000009"})
    enter(database, authority, "a")
    with pytest.raises(CodeRefused):
        enter(database, authority, "a", address="198.51.100.1")
    assert authority.asked == ["a"]


def test_of_one_code_at_once_one_signs_in(
    fresh_database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    """Seen to fail with the code looked up first and written afterwards."""
    authority = KnownCodes({"a": "2088000000000009"})
    enter = partial(sign_in, fresh_database, authority, "a", keys=keys, vault=vault, clock=clock)
    results = at_once(*[enter] * 6)
    assert sum(isinstance(result, flows.Grant) for result in results) == 1
    assert sum(isinstance(result, CodeRefused) for result in results) == 5


def test_first_sign_ins_at_once_make_one_citizen(
    fresh_database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    """Seen to fail with a claim that came second taken for the first."""
    authority = KnownCodes({str(number): "2088000000000009" for number in range(6)})
    results = at_once(
        *(
            partial(sign_in, fresh_database, authority, code, keys=keys, vault=vault, clock=clock)
            for code in authority.codes
        )
    )
    assert len({result.owner_id for result in results if isinstance(result, flows.Grant)}) == 1
    with fresh_database.read() as session:
        for table in (Citizen, ExternalIdentity, KnownSubject):
            assert session.scalar(select(func.count()).select_from(table)) == 1


def test_silence_signs_nobody_in_and_uses_the_code_up(
    database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    enter = partial(sign_in, keys=keys, vault=vault, clock=clock)
    with pytest.raises(AuthoritySilent):
        enter(database, SilentAuthority({}), "a")
    with pytest.raises(CodeRefused):
        enter(database, KnownCodes({"a": "2088000000000009"}), "a")


def test_the_same_subject_of_another_app_or_provider_is_somebody_else(
    database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    enter = partial(sign_in, keys=keys, vault=vault, clock=clock)
    same = "2088000000000009"
    apps = [
        KnownCodes({"a": same}),
        KnownCodes({"a": same}, app_id="2021000000000002"),
        KnownCodes({"a": same}, provider=SignInProvider.WECHAT),
    ]
    assert len({enter(database, app, "a").owner_id for app in apps}) == 3


def test_no_two_subjects_run_into_one() -> None:
    alipay = SignInProvider.ALIPAY
    assert (
        Subject(provider=alipay, app_id="1", subject="23").index_value
        != Subject(provider=alipay, app_id="12", subject="3").index_value
    )


def test_a_second_provider_leads_to_the_same_citizen(
    database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    enter = partial(sign_in, keys=keys, vault=vault, clock=clock)
    alipay = KnownCodes({"a": "2088000000000009"})
    wechat = KnownCodes(
        {"b": "oOpenId", "c": "oOpenId", "d": "oOpenId"}, provider=SignInProvider.WECHAT
    )
    grant = enter(database, alipay, "a")
    link = partial(flows.link, database, citizen_id=grant.owner_id, vault=vault, clock=clock)
    link(authority=wechat, code="b")
    link(authority=wechat, code="c")
    assert enter(database, wechat, "d").owner_id == grant.owner_id
    with database.read() as session:
        linked = linked_providers(session, citizen_id=grant.owner_id, vault=vault)
    assert [(each.provider, each.subject) for each in linked] == [
        ("alipay", "2088000000000009"),
        ("wechat", "oOpenId"),
    ]


def test_nobody_takes_over_an_identity_by_linking_it(
    database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    """Seen to fail with the owner of a known subject not compared."""
    enter = partial(sign_in, keys=keys, vault=vault, clock=clock)
    alipay = KnownCodes({"a": "2088000000000009", "b": "2088000000000010", "c": "2088000000000009"})
    victim, thief = enter(database, alipay, "a"), enter(database, alipay, "b")
    with pytest.raises(AlreadyLinked):
        flows.link(
            database,
            citizen_id=thief.owner_id,
            authority=alipay,
            code="c",
            vault=vault,
            clock=clock,
        )
    alipay.codes["d"] = "2088000000000009"
    assert enter(database, alipay, "d").owner_id == victim.owner_id


def test_a_citizen_has_one_identity_in_an_app(
    database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    enter = partial(sign_in, keys=keys, vault=vault, clock=clock)
    alipay = KnownCodes({"a": "2088000000000009", "b": "2088000000000010", "c": "2088000000000010"})
    grant = enter(database, alipay, "a")
    with pytest.raises(AlreadyLinked):
        flows.link(
            database,
            citizen_id=grant.owner_id,
            authority=alipay,
            code="b",
            vault=vault,
            clock=clock,
        )
    assert enter(database, alipay, "c").owner_id != grant.owner_id


def test_a_subject_is_stored_sealed_and_found_blindly(
    database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    subject = "2088000000000009"
    sign_in(database, KnownCodes({"a": subject}), "a", keys=keys, vault=vault, clock=clock)
    with database.read() as session:
        identity = session.scalars(select(ExternalIdentity)).one()
        known = session.scalars(select(KnownSubject)).one()
    assert subject.encode() not in identity.subject_sealed + known.subject_index


def test_an_address_may_try_so_often_and_another_is_not_held_back(
    database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    enter = partial(sign_in, database, KnownCodes({}), keys=keys, vault=vault, clock=clock)
    left = 3
    with pytest.raises(CodeRefused):
        enter("the first")
    with database.transaction() as session:
        session.execute(update(Attempts).values(tries=SIGN_IN_PER_ADDRESS.tries - left))
    for number in range(left):
        with pytest.raises(CodeRefused):
            enter(f"wrong {number}")
    with pytest.raises(TooManyAttempts):
        enter("one more")
    with pytest.raises(CodeRefused):
        enter("another's", address="203.0.113.8")
    clock.advance(SIGN_IN_PER_ADDRESS.window)
    with pytest.raises(CodeRefused):
        enter("later")
