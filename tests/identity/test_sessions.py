"""Refresh tokens are good once, sessions end when they are told to, and only for their owner."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from payments.kernel.clock import FixedClock
from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from services.identity import flows
from services.identity.models.sessions import CitizenRefreshToken
from services.identity.operations import sessions
from services.identity.operations.sessions import Opened, RefreshRefused, SessionNotFound
from services.identity.queries.sessions import is_open, open_sessions
from services.identity.rules.sessions import LIFETIMES, MOST_SESSIONS
from services.identity.tokens import TokenKeys
from tests.identity.people import at_once, citizen

SECRETS = (f"{number:043d}" for number in range(10**9))
IDLE = LIFETIMES["citizen"].idle


def opened(database: Database, citizen_id: str, now: datetime) -> Opened:
    with database.transaction() as session:
        return sessions.open_session(
            session, owner_id=citizen_id, signed_in_with="alipay", secret=next(SECRETS), now=now
        )


def holds(database: Database, session_id: str, citizen_id: str, now: datetime) -> bool:
    with database.read() as session:
        return is_open(session, kind="citizen", owner_id=citizen_id, session_id=session_id, now=now)


@pytest.fixture
def citizen_id(database: Database, vault: Vault, clock: FixedClock) -> str:
    return citizen(database, vault=vault, now=clock.now())


def test_a_refresh_token_is_exchanged_for_the_next(
    database: Database, citizen_id: str, keys: TokenKeys, clock: FixedClock
) -> None:
    first = opened(database, citizen_id, clock.now())
    second = flows.refresh(database, token=first.refresh_token, keys=keys, clock=clock)
    third = flows.refresh(database, token=second.refresh_token, keys=keys, clock=clock)
    assert first.session_id == second.session_id == third.session_id
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert keys.read(third.access_token, now=clock.now()).session_id == first.session_id


def test_a_used_token_that_comes_back_ends_the_session_for_good(
    database: Database, citizen_id: str, keys: TokenKeys, clock: FixedClock
) -> None:
    """Seen to fail with the refusal raised inside the transaction, which undid the revocation."""
    refresh = partial(flows.refresh, database, keys=keys, clock=clock)
    first = opened(database, citizen_id, clock.now())
    second = refresh(token=first.refresh_token)
    other = opened(database, citizen_id, clock.now())
    for token in (first.refresh_token, second.refresh_token):
        with pytest.raises(RefreshRefused):
            refresh(token=token)
    assert not holds(database, first.session_id, citizen_id, clock.now())
    assert holds(database, other.session_id, citizen_id, clock.now())


def test_of_refreshes_at_once_one_passes_and_the_session_ends(
    fresh_database: Database, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    """Seen to fail with a used token marked as used once more."""
    citizen_id = citizen(fresh_database, vault=vault, now=clock.now())
    first = opened(fresh_database, citizen_id, clock.now())
    refresh = partial(
        flows.refresh, fresh_database, token=first.refresh_token, keys=keys, clock=clock
    )
    results = at_once(*[refresh] * 6)
    granted = [result for result in results if isinstance(result, flows.Grant)]
    assert len(granted) == 1
    assert sum(isinstance(result, RefreshRefused) for result in results) == 5
    assert not holds(fresh_database, first.session_id, citizen_id, clock.now())
    with pytest.raises(RefreshRefused):
        flows.refresh(fresh_database, token=granted[0].refresh_token, keys=keys, clock=clock)


@given(
    steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40 * 24)), min_size=1, max_size=8)
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
def test_at_most_the_newest_token_works_whatever_is_presented_when(
    steps: list[tuple[int, int]],
    database: Database,
    citizen_id: str,
    keys: TokenKeys,
    clock: FixedClock,
) -> None:
    """Present an older or the newest token after some hours; compare with four lines of model."""
    first = opened(database, citizen_id, clock.now())
    tokens, ends, live = [first.refresh_token], clock.now() + IDLE, True
    over = clock.now() + LIFETIMES["citizen"].whole
    for back, hours in steps:
        clock.advance(timedelta(hours=hours))
        chosen = max(0, len(tokens) - 1 - back)
        newest = chosen == len(tokens) - 1
        expected = live and newest and clock.now() < min(ends, over)
        try:
            grant = flows.refresh(database, token=tokens[chosen], keys=keys, clock=clock)
        except RefreshRefused:
            assert not expected
            live = live and newest
        else:
            assert expected
            tokens.append(grant.refresh_token)
            ends = min(clock.now() + IDLE, over)
            assert grant.refresh_expires_at == ends
    assert holds(database, first.session_id, citizen_id, clock.now()) == (
        live and clock.now() < over
    )


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "cit_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        f"cit_01ARZ3NDEKTSV4RRFFQ69G5FAV.{'A' * 43}",
        f"stf_01ARZ3NDEKTSV4RRFFQ69G5FAV.{'A' * 43}",
        f"mer_01ARZ3NDEKTSV4RRFFQ69G5FAV.{'A' * 43}",
        f"cit_01ARZ3NDEKTSV4RRFFQ69G5FAV.{'A' * 42}\x00",
        f"cit_01ARZ3NDEKTSV4RRFFQ69G5FAV.{'A' * 43}\n",
    ],
)
def test_what_is_no_token_is_refused(
    database: Database, keys: TokenKeys, clock: FixedClock, token: str
) -> None:
    with pytest.raises(RefreshRefused):
        flows.refresh(database, token=token, keys=keys, clock=clock)


def test_a_token_does_not_work_under_another_name(
    database: Database, citizen_id: str, keys: TokenKeys, vault: Vault, clock: FixedClock
) -> None:
    other = citizen(database, vault=vault, now=clock.now())
    token = opened(database, citizen_id, clock.now()).refresh_token
    with pytest.raises(RefreshRefused):
        flows.refresh(database, token=token.replace(citizen_id, other), keys=keys, clock=clock)
    flows.refresh(database, token=token, keys=keys, clock=clock)


def test_only_a_hash_of_a_token_is_stored(
    database: Database, citizen_id: str, clock: FixedClock
) -> None:
    token = opened(database, citizen_id, clock.now()).refresh_token
    with database.read() as session:
        row = session.scalars(
            select(CitizenRefreshToken).where(CitizenRefreshToken.owner_id == citizen_id)
        ).one()
    assert token.partition(".")[2] not in repr(vars(row))


def test_a_revoked_session_is_over_at_once(
    database: Database, citizen_id: str, keys: TokenKeys, clock: FixedClock
) -> None:
    one = opened(database, citizen_id, clock.now())
    with database.transaction() as session:
        sessions.revoke(session, owner_id=citizen_id, session_id=one.session_id, now=clock.now())
    assert not holds(database, one.session_id, citizen_id, clock.now())
    with pytest.raises(RefreshRefused):
        flows.refresh(database, token=one.refresh_token, keys=keys, clock=clock)
    with pytest.raises(SessionNotFound), database.transaction() as session:
        sessions.revoke(session, owner_id=citizen_id, session_id=one.session_id, now=clock.now())


def test_nobody_ends_somebody_elses_session(
    database: Database, citizen_id: str, vault: Vault, clock: FixedClock
) -> None:
    """Seen to fail with the owner left out of the condition."""
    other = citizen(database, vault=vault, now=clock.now())
    one = opened(database, citizen_id, clock.now())
    with pytest.raises(SessionNotFound), database.transaction() as session:
        sessions.revoke(session, owner_id=other, session_id=one.session_id, now=clock.now())
    with database.transaction() as session:
        assert sessions.revoke_all(session, owner_id=other, now=clock.now()) == 0
        assert open_sessions(session, kind="citizen", owner_id=other, now=clock.now()) == []
    assert holds(database, one.session_id, citizen_id, clock.now())
    assert not holds(database, one.session_id, other, clock.now())


def test_all_but_the_current_session_end(
    database: Database, citizen_id: str, clock: FixedClock
) -> None:
    some = [opened(database, citizen_id, clock.now()) for _ in range(3)]
    with database.transaction() as session:
        ended = sessions.revoke_all(
            session, owner_id=citizen_id, now=clock.now(), but=some[1].session_id
        )
        left = open_sessions(session, kind="citizen", owner_id=citizen_id, now=clock.now())
    assert ended == 2
    assert [each.session_id for each in left] == [some[1].session_id]


def test_the_oldest_of_too_many_sessions_ends(
    database: Database, citizen_id: str, clock: FixedClock
) -> None:
    some = []
    for _ in range(MOST_SESSIONS + 1):
        some.append(opened(database, citizen_id, clock.now()))
        clock.advance(timedelta(seconds=1))
    with database.read() as session:
        left = open_sessions(session, kind="citizen", owner_id=citizen_id, now=clock.now())
    assert [each.session_id for each in left] == [each.session_id for each in some[:0:-1]]


def test_what_is_over_is_deleted_and_what_is_not_stays(
    database: Database, citizen_id: str, keys: TokenKeys, clock: FixedClock
) -> None:
    opened(database, citizen_id, clock.now())
    clock.advance(timedelta(days=180))
    kept = opened(database, citizen_id, clock.now())
    for _ in range(3):
        grant = flows.refresh(database, token=kept.refresh_token, keys=keys, clock=clock)
        kept = Opened(
            owner_id=citizen_id,
            session_id=grant.session_id,
            refresh_token=grant.refresh_token,
            refresh_expires_at=grant.refresh_expires_at,
        )
    clock.advance(timedelta(days=91))
    assert flows.purge(database, limit=100, clock=clock) == 6
    assert flows.purge(database, limit=100, clock=clock) == 0
    with database.read() as session:
        assert open_sessions(session, kind="citizen", owner_id=citizen_id, now=clock.now())
        left: Any = session.scalar(select(func.count()).select_from(CitizenRefreshToken))
    assert left == 0
