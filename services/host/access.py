"""Who is asking, and the one permission question every route answers.

A route is either `@public` or `@requires(...)`; an architecture test walks the URL map, and a route
that says nothing fails it. Ownership (is this order theirs?) is the query's business: operations
take the principal's id, and what is not theirs is not found.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar, get_args

from flask import g

from payments.kernel.errors import Unauthenticated

Kind = Literal["citizen", "staff", "merchant", "device"]
View = TypeVar("View", bound=Callable[..., Any] | type)

MARK: Final = "__qiantang_access__"
ACTING_FOR: Final = "X-Acting-For"  # The header with the citizen a guardian asks for.


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Whoever is asking, as an authenticator established it.

    `id` is the public id of the citizen, member of staff, merchant or device. `merchant_id` and
    `book_id` are set for merchants and for devices, which belong to one; `session_id` for those who
    signed in. `acting_for` is the citizen for whom a guardian asks, whose leave was checked.
    """

    kind: Kind
    id: str
    merchant_id: str | None = None
    book_id: str | None = None
    roles: frozenset[str] = frozenset()
    session_id: str | None = None
    acting_for: str | None = None

    @property
    def citizen_id(self) -> str:
        """Whose affairs these are: the citizen's own, or those of whom they act for."""
        return self.acting_for or self.id

    def __str__(self) -> str:
        """Who asks and for whom: what keeps one caller's keys and cursors from another's."""
        return f"{self.kind}:{self.id}" + (f" for {self.acting_for}" if self.acting_for else "")


@dataclass(frozen=True, kw_only=True)
class Public:
    """Anybody may call it; `reason` says why that is right."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Required:
    """Only principals of these kinds may call it, with this role where one is named.

    With `on_behalf` a guardian may call it for somebody else; without, it is about the caller.
    """

    kinds: frozenset[Kind]
    role: str | None = None
    on_behalf: bool = False


Access = Public | Required


def public(*, reason: str) -> Callable[[View], View]:
    """Let anybody call the view."""
    if not reason:
        raise TypeError("say why anybody may call it")
    return _marking(Public(reason=reason))


def requires(
    *kinds: Kind, role: str | None = None, on_behalf: bool = False
) -> Callable[[View], View]:
    """Let only these kinds of principal call the view, with `role` where one is named.

    A view that is `on_behalf` asks for `current_principal().citizen_id` instead of `.id`.
    """
    if not kinds or not set(kinds) <= set(get_args(Kind)):
        raise TypeError(f"name kinds of principal out of {', '.join(get_args(Kind))}")
    return _marking(Required(kinds=frozenset(kinds), role=role, on_behalf=on_behalf))


def current_principal() -> Principal:
    """Return who is asking. Raises Unauthenticated on a public route, where nobody was asked."""
    principal = g.get("principal")
    if not isinstance(principal, Principal):
        raise Unauthenticated
    return principal


def _marking(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        if MARK in vars(view):
            raise TypeError(f"{view.__qualname__} already says who may call it")
        setattr(view, MARK, access)
        return view

    return mark
