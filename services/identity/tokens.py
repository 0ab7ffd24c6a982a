"""Access tokens: JWTs (RFC 7519) signed with Ed25519 under a key of ours, good for 15 minutes.

The algorithm is fixed, and named "Ed25519" as RFC 9864 asks (what older texts call EdDSA). The
`kid` is looked up among our own keys and nowhere else; a header that says anything more than `alg`,
`kid` and `typ` is refused. To rotate: add a key, then make it current; tokens of the old one stay
good until it is removed, a quarter of an hour later at the earliest.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.errors import InvalidClaimError, JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import CompactSignature

from payments.kernel.errors import Unauthenticated
from payments.kernel.ids import new_id
from services.identity.rules.sessions import ACCESS_TOKEN_LIFE

ALGORITHM: Final = "Ed25519"
TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  RFC 9068's media type, not a secret
LONGEST_TOKEN: Final = 2048
CLOCK_DIFFERENCE: Final = timedelta(seconds=5)  # Between machines of our own.
HEADER: Final = frozenset({"alg", "kid", "typ"})


class TokenRefused(Unauthenticated):
    """Not a token of ours, or not good any more; nobody is told which."""

    code = "token-refused"
    zh = "登录已失效，请重新登录"
    en = "The access token is not valid any more; renew it or sign in again"


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """What a good token says: whose it is and which session it belongs to."""

    owner_id: str
    session_id: str
    token_id: str


class TokenKeys:
    """Our signing keys by key id. `seeds` are 32 bytes each (RFC 8032), `current` signs.

    `issuer` is our public address; it is also the audience, as we issue for ourselves.
    """

    def __init__(self, seeds: Mapping[str, bytes], *, current: str, issuer: str) -> None:
        self._keys = {key_id: _key(key_id, seed) for key_id, seed in seeds.items()}
        self._current = current
        self._issuer = issuer

    def mint(self, *, owner_id: str, session_id: str, now: datetime) -> str:
        """Return a fresh token for a session."""
        issued = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": owner_id,
            "sid": session_id,
            "jti": new_id("tok"),
            "iat": issued,
            "nbf": issued - int(CLOCK_DIFFERENCE.total_seconds()),
            "exp": issued + int(ACCESS_TOKEN_LIFE.total_seconds()),
        }
        header = {"alg": ALGORITHM, "kid": self._current, "typ": TOKEN_TYPE}
        return jwt.encode(header, claims, self._keys[self._current], algorithms=[ALGORITHM])

    def read(self, token: str, *, now: datetime) -> AccessToken:
        """Return what a token says. Raises TokenRefused for whatever is wrong with it."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise TokenRefused
        try:
            read = jwt.decode(token, self._key_of, algorithms=[ALGORITHM])
            self._claims_at(now).validate(read.claims)
        except (JoseError, ValueError) as error:
            raise TokenRefused from error
        return AccessToken(
            owner_id=read.claims["sub"],
            session_id=read.claims["sid"],
            token_id=read.claims["jti"],
        )

    def _key_of(self, signature: Any) -> OKPKey:
        assert isinstance(signature, CompactSignature)
        header = signature.headers()
        key_id = header.get("kid")
        if set(header) != HEADER or header["typ"] != TOKEN_TYPE or not isinstance(key_id, str):
            raise TokenRefused
        key = self._keys.get(key_id)
        if key is None:
            raise TokenRefused
        return key

    def _claims_at(self, now: datetime) -> "AccessClaims":
        here: jwt.ClaimsOption = {"essential": True, "value": self._issuer}
        some: jwt.ClaimsOption = {"essential": True}
        return AccessClaims(
            int(now.timestamp()),
            iss=here, aud=here, sub=some, sid=some, jti=some, iat=some, nbf=some, exp=some,
        )  # fmt: skip


class AccessClaims(jwt.JWTClaimsRegistry):
    """The registered claims and our own `sid`, which the library does not know the type of."""

    def validate_sid(self, value: object) -> None:
        """Refuse a session id that is not a text; called by the library, by its name."""
        if not isinstance(value, str) or not value:
            raise InvalidClaimError("sid")


def _key(key_id: str, seed: bytes) -> OKPKey:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    x, d = (urlsafe_b64encode(part).rstrip(b"=").decode("ascii") for part in (public, seed))
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x, "d": d, "kid": key_id})


@lru_cache(8)
def token_keys(seeds: tuple[tuple[str, bytes], ...], current: str, issuer: str) -> TokenKeys:
    """Return the keys of an installation, made once per process."""
    return TokenKeys(dict(seeds), current=current, issuer=issuer)
