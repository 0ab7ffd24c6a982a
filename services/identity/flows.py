"""Sign-in, linking and refreshing: count the attempt, ask the authority, open the session.

What must survive a refusal (the attempt, the spent code, the end of a stolen session) is committed
before the refusal is raised.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from payments.kernel.clock import Clock
from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from payments.kernel.errors import Unauthenticated
from services.identity.authorities.interface import Authority
from services.identity.operations import attempts, citizens, purging, resealing, sessions, staff
from services.identity.passwords import password_matches
from services.identity.queries.staff import credentials
from services.identity.rules.attempts import (
    LINK_PER_CITIZEN,
    SIGN_IN_PER_ADDRESS,
    STAFF_PER_ADDRESS,
    STAFF_PER_USERNAME,
    Limit,
    subscriber_of,
)
from services.identity.rules.sessions import ACCESS_TOKEN_LIFE, SECRET_BYTES
from services.identity.rules.subjects import Subject
from services.identity.tokens import TokenKeys

RESEAL_BATCH = 500


class SignInRefused(Unauthenticated):
    """Username or password is wrong, or the account is disabled; nobody is told which."""

    code = "sign-in-refused"
    zh = "用户名或密码不正确"
    en = "The username or password is not right"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What somebody who signed in is given. Times are UTC."""

    owner_id: str
    session_id: str
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime


def sign_in(
    database: Database,
    *,
    authority: Authority,
    code: str,
    address: str,
    keys: TokenKeys,
    vault: Vault,
    clock: Clock,
) -> Grant:
    """Open a session for whoever the code is from, who becomes a citizen at the first sign-in.

    Raises TooManyAttempts, CodeRefused and AuthoritySilent.
    """
    try_once(
        database,
        limit=SIGN_IN_PER_ADDRESS,
        who=subscriber_of(address),
        vault=vault,
        clock=clock,
    )
    subject = _identify(database, authority=authority, code=code, clock=clock)
    secret, now = secrets.token_urlsafe(SECRET_BYTES), clock.now()
    with database.transaction() as session:
        citizen_id = citizens.recognise(session, subject=subject, vault=vault, now=now)
        opened = sessions.open_session(
            session,
            owner_id=citizen_id,
            signed_in_with=subject.provider,
            secret=secret,
            now=now,
        )
    return _grant(opened, keys=keys, now=now)


def link(
    database: Database,
    *,
    citizen_id: str,
    authority: Authority,
    code: str,
    vault: Vault,
    clock: Clock,
) -> None:
    """Let a signed-in citizen sign in with one more provider.

    Raises TooManyAttempts, CodeRefused, AuthoritySilent and AlreadyLinked.
    """
    try_once(database, limit=LINK_PER_CITIZEN, who=citizen_id, vault=vault, clock=clock)
    subject = _identify(database, authority=authority, code=code, clock=clock)
    now = clock.now()
    with database.transaction() as session:
        citizens.link(session, citizen_id=citizen_id, subject=subject, vault=vault, now=now)


def sign_in_staff(
    database: Database,
    *,
    username: str,
    password: str,
    address: str,
    keys: TokenKeys,
    vault: Vault,
    clock: Clock,
) -> Grant:
    """Open a session for a member of staff. Raises TooManyAttempts and SignInRefused.

    A name nobody has is counted, locked and refused as one that somebody has, in the same time.
    While a name is locked its password is not even looked at.
    """
    name = username.strip().casefold()
    tried = partial(try_once, database, vault=vault, clock=clock)
    tried(limit=STAFF_PER_ADDRESS, who=subscriber_of(address))
    tried(limit=STAFF_PER_USERNAME, who=name)
    with database.read() as session:
        known = credentials(session, username=name)
    matches = password_matches(password, known.password_hash if known else None)
    if known is None or not matches:
        raise SignInRefused
    secret, now = secrets.token_urlsafe(SECRET_BYTES), clock.now()
    with database.transaction() as session:
        if not staff.hold_enabled(session, staff_id=known.staff_id):
            raise SignInRefused
        attempts.forget(session, limit=STAFF_PER_USERNAME, who=name, vault=vault)
        opened = sessions.open_session(
            session, owner_id=known.staff_id, signed_in_with="password", secret=secret, now=now
        )
    return _grant(opened, keys=keys, now=now)


def refresh(database: Database, *, token: str, keys: TokenKeys, clock: Clock) -> Grant:
    """Exchange a refresh token. Raises RefreshRefused; for a used one the session has ended."""
    secret, now = secrets.token_urlsafe(SECRET_BYTES), clock.now()
    with database.transaction() as session:
        opened = sessions.refresh(session, token=token, secret=secret, now=now)
    if opened is None:
        raise sessions.RefreshRefused
    return _grant(opened, keys=keys, now=now)


def try_once(database: Database, *, limit: Limit, who: str, vault: Vault, clock: Clock) -> None:
    """Count an attempt for good, whatever comes of it. Raises TooManyAttempts."""
    now = clock.now()
    database.run(
        lambda session: attempts.try_once(session, limit=limit, who=who, vault=vault, now=now)
    )


def purge(database: Database, *, limit: int, clock: Clock) -> int:
    """Delete a batch of what is over; return how many rows."""
    now = clock.now()
    return database.run(lambda session: purging.purge(session, limit=limit, now=now))


def reencrypt(
    database: Database,
    *,
    vault: Vault,
    tell: Callable[[str, int, int], None],
    batch: int = RESEAL_BATCH,
) -> int:
    """Seal everything that an old key sealed anew; return how many values.

    Each batch is a transaction, so it can be stopped and started again at any time. `tell` hears
    the column, the rows seen in it and the values sealed anew so far.
    """
    total = 0
    for sealed in resealing.SEALED_COLUMNS:
        after, seen, changed = None, 0, 0
        while True:
            done = database.run(
                partial(
                    resealing.reseal,
                    sealed=sealed,
                    after=after,
                    limit=batch,
                    vault=vault,
                )
            )
            seen, changed = seen + done.seen, changed + done.changed
            tell(sealed.name, seen, changed)
            if done.last is None:
                break
            after = done.last
        total += changed
    return total


def _identify(database: Database, *, authority: Authority, code: str, clock: Clock) -> Subject:
    now = clock.now()
    with database.transaction() as session:
        attempts.spend_code(
            session, provider=authority.provider, app_id=authority.app_id, code=code, now=now
        )
    return authority.identify(code, now=now)


def _grant(opened: sessions.Opened, *, keys: TokenKeys, now: datetime) -> Grant:
    return Grant(
        owner_id=opened.owner_id,
        session_id=opened.session_id,
        access_token=keys.mint(owner_id=opened.owner_id, session_id=opened.session_id, now=now),
        access_expires_at=now + ACCESS_TOKEN_LIFE,
        refresh_token=opened.refresh_token,
        refresh_expires_at=opened.refresh_expires_at,
    )
