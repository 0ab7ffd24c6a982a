"""Seal stored values anew with the current key, a batch at a time.

It takes no locks: a value is replaced only where it is still the one that was read, so writing goes
on meanwhile, and starting over costs a look at each row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import and_, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from payments.kernel.crypto import Vault
from services.identity.models.citizens import ExternalIdentity, PersonalDetails
from services.identity.rules.sealing import PERSONAL_FIELDS, place_of_detail, place_of_subject


@dataclass(frozen=True, kw_only=True)
class SealedColumn:
    """A column of sealed values; `place` makes the context from the row's key."""

    column: InstrumentedAttribute[Any]
    key: tuple[InstrumentedAttribute[str], ...]
    place: Callable[..., str]

    @property
    def name(self) -> str:
        """The column with its table, as people are told."""
        return f"{self.column.class_.__tablename__}.{self.column.key}"


@dataclass(frozen=True, kw_only=True)
class Resealed:
    """What one batch did; `last` is the key to go on after, and None at the end."""

    seen: int
    changed: int
    last: Sequence[str] | None


SEALED_COLUMNS: Final = (
    SealedColumn(
        column=ExternalIdentity.subject_sealed,
        key=(ExternalIdentity.citizen_id, ExternalIdentity.provider, ExternalIdentity.app_id),
        place=place_of_subject,
    ),
    *(
        SealedColumn(
            column=getattr(PersonalDetails, f"{field}_sealed"),
            key=(PersonalDetails.citizen_id,),
            place=partial(place_of_detail, field=field),
        )
        for field in PERSONAL_FIELDS
    ),
)


def reseal(
    session: Session,
    *,
    sealed: SealedColumn,
    after: Sequence[str] | None,
    limit: int,
    vault: Vault,
) -> Resealed:
    """Seal up to `limit` rows after a key anew where an old key sealed them."""
    rows = select(*sealed.key, sealed.column).order_by(*sealed.key).limit(limit)
    if after is not None:
        rows = rows.where(tuple_(*sealed.key) > tuple(after))
    seen, changed, last = 0, 0, None
    for *key, token in session.execute(rows).all():
        seen, last = seen + 1, key
        if token is None or not vault.needs_reencryption(token):
            continue
        place = sealed.place(*key)
        anew = vault.encrypt(vault.decrypt(token, context=place), context=place)
        replaced = session.scalar(
            update(sealed.column.class_)
            .where(
                and_(*(part == value for part, value in zip(sealed.key, key, strict=True))),
                sealed.column == token,
            )
            .values({sealed.column: anew})
            .returning(sealed.key[0])
        )
        changed += replaced is not None
    return Resealed(seen=seen, changed=changed, last=last if seen == limit else None)
