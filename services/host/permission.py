"""The permission question, asked before a view or even the body is looked at."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from flask import Request

from payments.kernel.errors import Forbidden, Unauthenticated
from services.host.access import Kind, Principal, Public, Required
from services.host.manifest import Authenticator, Plugin
from services.host.platform import Platform
from services.host.routes import Route

BEARER: Final = "bearer"
SIGNATURE: Final = "signature"
TOKEN_NEEDED: Final = "send Authorization: Bearer with an access token"  # noqa: S105  no secret
SIGNATURE_NEEDED: Final = "sign the request (RFC 9421)"
HOW: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "citizen": TOKEN_NEEDED,
        "staff": TOKEN_NEEDED,
        "merchant": SIGNATURE_NEEDED,
        "device": SIGNATURE_NEEDED,
    }
)

Authenticators = Mapping[str, Authenticator]


class CredentialsAmbiguous(Unauthenticated):
    """Two kinds of credentials in one request; we do not guess which one is meant."""

    code = "credentials-ambiguous"
    zh = "请求携带了多种身份凭证"
    en = "The request carries two kinds of credentials"


class RoleMissing(Forbidden):
    """The member of staff does not have the role the operation needs."""

    code = "role-missing"
    zh = "缺少所需角色"
    en = "A role is missing"


class ActingNotOffered(Forbidden):
    """The operation is about the caller; nobody does it for somebody else."""

    code = "acting-not-offered"
    zh = "此操作不支持代办"
    en = "This cannot be done for somebody else"


def collect_authenticators(plugins: tuple[Plugin, ...]) -> Authenticators:
    """Return the authenticators of all plug-ins by scheme; boot has checked there is one each."""
    return {
        scheme: authenticator
        for plugin in plugins
        for scheme, authenticator in plugin.authenticators.items()
    }


def admit(
    request: Request, route: Route, *, authenticators: Authenticators, platform: Platform
) -> Principal | None:
    """Return who may go on: somebody, or nobody in particular on a public route.

    Raises Unauthenticated or Forbidden. A public route does not look at credentials at all.
    """
    match route.access:
        case Public():
            return None
        case Required(kinds=kinds, role=role, on_behalf=on_behalf):
            principal = _authenticated(request, authenticators, platform, kinds=kinds)
            if principal.kind not in kinds:
                raise Forbidden(f"for {' or '.join(sorted(kinds))} only")
            if role is not None and role not in principal.roles:
                raise RoleMissing(f"the role {role} is needed")
            if principal.acting_for is not None and not on_behalf:
                raise ActingNotOffered
            return principal
        case _:
            raise Forbidden


def _authenticated(
    request: Request,
    authenticators: Authenticators,
    platform: Platform,
    *,
    kinds: frozenset[Kind],
) -> Principal:
    scheme = _scheme(request)
    authenticator = authenticators.get(scheme) if scheme else None
    principal = authenticator(request, platform) if authenticator else None
    if principal is None:
        raise Unauthenticated(" or ".join(sorted({HOW[kind] for kind in kinds})))
    return principal


def _scheme(request: Request) -> str | None:
    """Choose by what the request carries: a bearer token (RFC 6750) or a signature (RFC 9421)."""
    authorization = request.headers.get("Authorization", "")
    bears_token = authorization[: len(BEARER) + 1].lower() == f"{BEARER} "
    is_signed = "Signature-Input" in request.headers
    if bears_token and is_signed:
        raise CredentialsAmbiguous
    if is_signed:
        return SIGNATURE
    return BEARER if bears_token else None
