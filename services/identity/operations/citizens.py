"""Citizens and how the outside knows them: one person of one app is one citizen."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.kernel.crypto import Vault
from payments.kernel.errors import Conflict
from payments.kernel.ids import new_id
from services.identity.models.citizens import Citizen, ExternalIdentity, KnownSubject
from services.identity.operations.reads import Reader, note_read
from services.identity.queries.citizens import LinkedProvider, linked_providers
from services.identity.rules.sealing import place_of_subject
from services.identity.rules.subjects import Subject


class AlreadyLinked(Conflict):
    """This external identity is another citizen's, or this citizen has another one there."""

    code = "identity-already-linked"
    zh = "该账号已绑定，不能重复绑定"
    en = "The external identity is already linked"


def create_citizen(session: Session, *, citizen_id: str, now: datetime) -> None:
    """Create a citizen of whom nothing is known yet."""
    session.execute(insert(Citizen).values(citizen_id=citizen_id, created_at=now))


def recognise(session: Session, *, subject: Subject, vault: Vault, now: datetime) -> str:
    """Return the citizen of an external identity, creating one at the first sign-in.

    Two first sign-ins at once meet at the key of `known_subjects`: the second waits for the first.
    """
    candidate = new_id("cit")
    owner, _ = _claim(session, citizen_id=candidate, subject=subject, vault=vault, now=now)
    if owner == candidate:
        create_citizen(session, citizen_id=candidate, now=now)
        _record(session, citizen_id=candidate, subject=subject, vault=vault, now=now)
    return owner


def link(
    session: Session, *, citizen_id: str, subject: Subject, vault: Vault, now: datetime
) -> None:
    """Let a citizen sign in with one more provider; again is the same. Raises AlreadyLinked."""
    owner, claimed = _claim(session, citizen_id=citizen_id, subject=subject, vault=vault, now=now)
    if owner != citizen_id:
        raise AlreadyLinked
    if claimed:
        _record(session, citizen_id=citizen_id, subject=subject, vault=vault, now=now)


def show_identities(
    session: Session, *, citizen_id: str, reader: Reader, vault: Vault, now: datetime
) -> Sequence[LinkedProvider]:
    """Return the providers a citizen can sign in with, noting who was shown them."""
    note_read(session, citizen_id=citizen_id, reader=reader, fields=("subject",), now=now)
    return linked_providers(session, citizen_id=citizen_id, vault=vault)


def _claim(
    session: Session, *, citizen_id: str, subject: Subject, vault: Vault, now: datetime
) -> tuple[str, bool]:
    """Return whose the external identity is, and whether it became theirs just now."""
    index = vault.blind_index(subject.index_value, purpose="identity.known_subjects.subject_index")
    whose = select(KnownSubject.citizen_id).where(KnownSubject.subject_index == index)
    known = session.scalar(whose)
    if known is not None:
        return known, False
    claim = insert(KnownSubject).values(subject_index=index, citizen_id=citizen_id, linked_at=now)
    if session.scalar(claim.on_conflict_do_nothing().returning(KnownSubject.citizen_id)):
        return citizen_id, True
    return session.scalars(whose).one(), False


def _record(
    session: Session, *, citizen_id: str, subject: Subject, vault: Vault, now: datetime
) -> None:
    place = place_of_subject(citizen_id, subject.provider, subject.app_id)
    recorded = (
        insert(ExternalIdentity)
        .values(
            citizen_id=citizen_id,
            provider=subject.provider,
            app_id=subject.app_id,
            subject_sealed=vault.encrypt(subject.subject, context=place),
            linked_at=now,
        )
        .on_conflict_do_nothing()
        .returning(ExternalIdentity.citizen_id)
    )
    if session.scalar(recorded) is None:
        raise AlreadyLinked
