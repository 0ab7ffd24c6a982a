"""Who is asking, and the one permission question every route answers.

A route is either `@public` or `@requires(...)`; an architecture test walks the URL map, and a route
that says nothing fails it. Ownership (is this order theirs?) is the query's business: operations
take the principal's id, and what is not theirs is not found.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from flask import g

from payments.kernel.errors import Unauthenticated

Kind = Literal["citizen", "staff", "merchant", "device"]
View = TypeVar("View", bound=Callable[..., Any] | type)

MARK: Final = "__qiantang_access__"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Whoever is asking, as an authenticator established it.

    `id` is the public id of the citizen, member of staff, merchant or device. `merchant_id` and
    `book_id` are set for merchants and for devices, which belong to one.
    """

    kind: Kind
    id: str
    merchant_id: str | None = None
    book_id: str | None = None
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Public:
    """Anybody may call it; `reason` says why that is right."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Required:
    """Only principals of these kinds may call it, with this role where one is named."""

    kinds: frozenset[Kind]
    role: str | None = None


Access = Public | Required


def public(*, reason: str) -> Callable[[View], View]:
    """Let anybody call the view."""
    return _marking(Public(reason=reason))


def requires(*kinds: Kind, role: str | None = None) -> Callable[[View], View]:
    """Let only these kinds of principal call the view, with `role` where one is named."""
    return _marking(Required(kinds=frozenset(kinds), role=role))


def current_principal() -> Principal:
    """Return who is asking. Raises Unauthenticated on a public route, where nobody was asked."""
    principal = g.get("principal")
    if not isinstance(principal, Principal):
        raise Unauthenticated
    return principal


def _marking(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, MARK, access)
        return view

    return mark
