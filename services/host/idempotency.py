"""`Idempotency-Key` on every unsafe operation (draft-ietf-httpapi-idempotency-key-header-07).

    @blueprint.route("/orders", methods=["POST"])
    @requires("citizen")
    @blueprint.arguments(OrderInput)
    @idempotent.transaction
    @blueprint.response(201, OrderOutput)
    def place(arguments, session): …

The decorator stands below `arguments`, so that input which does not fit the schema costs no
transaction and no key, and above `response`, because it keeps the answer as it is sent.
"""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, Final, Literal, TypeVar

from flask import Response, current_app, g, request
from sqlalchemy.orm import Session

from payments.kernel import idempotency as kernel
from payments.kernel.errors import QiantangError, TooMany
from payments.kernel.idempotency import Answer
from services.host import errors, problems
from services.host.access import Principal
from services.host.platform import Platform, current_platform

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
LEASE: Final = timedelta(seconds=60)  # Longer than a flow's calls to a provider may take.
MARK: Final = "__qiantang_repetition__"

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """How an unsafe route is repeated safely; `reason` says why one takes no key."""

    shape: Literal["transaction", "flow", "exempt"]
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """A request with its key: who asks for which operation, and the digest of what they send."""

    scope: str
    key: str
    fingerprint: bytes


class Idempotent:
    """The three ways in which an unsafe operation may be repeated."""

    @staticmethod
    def transaction(view: Callable[..., Any]) -> Callable[..., Any]:
        """Give the view a `session`; its effect, the key and the answer are one transaction.

        A definite failure undoes the effect and keeps its answer. The view may run several times,
        so it has no effect outside the session.
        """

        @wraps(view)
        def once(*args: Any, **kwargs: Any) -> Response:
            platform, keyed = current_platform(), _keyed()
            return platform.database.run(
                lambda session: _in_transaction(
                    session,
                    lambda: _response(view(*args, session=session, **kwargs)),
                    keyed=keyed,
                    platform=platform,
                )
            )

        return _marked(once, Repetition(shape="transaction"))

    @staticmethod
    def flow(view: Callable[..., Any]) -> Callable[..., Any]:
        """Give the view a `request_key`; for views whose flow calls the network.

        The request key is the same for every repetition and cannot be guessed by anybody else; the
        flow derives its rows from it, so that one which was interrupted goes on where it stopped.
        """

        @wraps(view)
        def once(*args: Any, **kwargs: Any) -> Response:
            platform, keyed = current_platform(), _keyed()
            request_key = _request_key(platform, keyed)
            return _leased(
                lambda: _response(view(*args, request_key=request_key, **kwargs)),
                keyed=keyed,
                platform=platform,
            )

        return _marked(once, Repetition(shape="flow"))

    @staticmethod
    def exempt(*, reason: str) -> Callable[[View], View]:
        """Take no key: repeating the operation is safe by itself, for the reason given."""

        def mark(view: View) -> View:
            setattr(view, MARK, Repetition(shape="exempt", reason=reason))
            return view

        return mark


idempotent: Final = Idempotent()


def _in_transaction(
    session: Session, act: Callable[[], Response], *, keyed: Keyed, platform: Platform
) -> Response:
    now = platform.clock.now()
    claim = kernel.claim(
        session,
        scope=keyed.scope,
        key=keyed.key,
        fingerprint=keyed.fingerprint,
        vault=platform.vault,
        now=now,
    )
    if isinstance(claim, Answer):
        return _replay(claim)
    try:
        with session.begin_nested():
            response = act()
    except QiantangError as error:
        if not _is_definite(error):
            raise
        response = errors.answer(error)
    kernel.store(session, claim=claim, answer=_answer(response), vault=platform.vault, now=now)
    return response


def _leased(act: Callable[[], Response], *, keyed: Keyed, platform: Platform) -> Response:
    with platform.database.transaction() as session:
        claim = kernel.claim(
            session,
            scope=keyed.scope,
            key=keyed.key,
            fingerprint=keyed.fingerprint,
            vault=platform.vault,
            now=platform.clock.now(),
            lease=LEASE,
        )
    if isinstance(claim, Answer):
        return _replay(claim)
    try:
        response = _acted(act)
    except Exception:
        with platform.database.transaction() as session:
            kernel.release(session, claim=claim, now=platform.clock.now())
        raise
    with platform.database.transaction() as session:
        now = platform.clock.now()
        kernel.store(session, claim=claim, answer=_answer(response), vault=platform.vault, now=now)
    return response


def _acted(act: Callable[[], Response]) -> Response:
    try:
        return act()
    except QiantangError as error:
        if not _is_definite(error):
            raise
        return errors.answer(error)


def _is_definite(error: QiantangError) -> bool:
    """Tell whether the same request would fail the same way again, so that the answer is kept."""
    status = problems.status_of(type(error))
    return status < problems.INTERNAL_STATUS and not isinstance(error, TooMany)


def _keyed() -> Keyed:
    header = request.headers.get(HEADER)
    if header is None:
        raise problems.IdempotencyKeyMissing("send a new random key with every new intention")
    principal = g.get("principal")
    caller = str(principal) if isinstance(principal, Principal) else "anybody"
    return Keyed(
        scope=f"{caller} {g.route}",
        key=kernel.read_key(header),
        fingerprint=kernel.fingerprint(
            method=request.method,
            target=request.full_path,
            content_type=request.content_type or "",
            body=request.get_data(),
        ),
    )


def _request_key(platform: Platform, keyed: Keyed) -> str:
    secret = platform.settings.keys.secret.get_secret_value()
    message = json.dumps(["request-key", keyed.scope, keyed.key]).encode()
    return hmac.digest(secret, message, "sha256").hex()


def _response(result: Any) -> Response:
    response = current_app.make_response(result)
    if response.status_code >= problems.INTERNAL_STATUS:
        raise QiantangError  # A view answers 5xx by raising; nothing of it may be kept.
    return response


def _answer(response: Response) -> Answer:
    return Answer(
        status=response.status_code,
        content_type=response.content_type or "",
        body=response.get_data(),
        headers=dict(response.headers),
    )


def _replay(answer: Answer) -> Response:
    response = Response(
        answer.body,
        status=answer.status,
        content_type=answer.content_type or None,
        headers=dict(answer.headers),
    )
    response.headers[REPLAYED] = "true"
    return response


def _marked(view: Callable[..., Any], repetition: Repetition) -> Callable[..., Any]:
    if "response" not in getattr(view, "_apidoc", {}):
        raise TypeError(
            f"{view.__qualname__}: put @idempotent.{repetition.shape} above @blueprint.response"
        )
    setattr(view, MARK, repetition)
    return view
