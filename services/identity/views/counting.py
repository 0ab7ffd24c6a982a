"""Count attempts of whoever is asking before anything else is done for them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import g

from services.host.access import current_principal
from services.host.platform import current_platform
from services.identity import flows
from services.identity.operations.reads import Reader
from services.identity.rules.attempts import Limit


def counted(limit: Limit) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let the caller try so often; stands above `idempotent`, whose transaction may be undone."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def once(*args: Any, **kwargs: Any) -> Any:
            platform = current_platform()
            flows.try_once(
                platform.database,
                limit=limit,
                who=current_principal().id,
                vault=platform.vault,
                clock=platform.clock,
            )
            return view(*args, **kwargs)

        return once

    return decorate


def reader() -> Reader:
    """Return who is being shown personal data now, and by which route."""
    principal = current_principal()
    return Reader(kind=principal.kind, id=principal.id, purpose=str(g.route))
