"""What a key may look like, when two inputs are the same, and what of an answer is kept."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from payments.kernel.errors import Invalid

LONGEST_KEY: Final = 255  # Characters.
LARGEST_STORED_BODY: Final = 1 << 20  # Bytes.
DEFINITE_STATUSES: Final = range(200, 500)
REPLAYED_HEADERS: Final = frozenset({"content-language", "etag", "last-modified", "location"})

_BARE: Final = re.compile(r"[!#-\[\]-~]{1,255}", re.ASCII)
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"', re.ASCII)
_ESCAPED: Final = re.compile(r"\\(.)")


class IdempotencyKeyInvalid(Invalid):
    """The header is neither a bare token nor a quoted string of 1 to 255 characters."""

    code = "idempotency-key-invalid"
    zh = "Idempotency-Key 请求头不正确"
    en = "The Idempotency-Key header is not valid"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer that can be given again byte for byte.

    Of `headers` only REPLAYED_HEADERS are kept; a stored answer never sets a cookie.
    """

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def read_key(header: str) -> str:
    """Return the key in a header, bare or as an RFC 8941 string; the two forms name one key.

    Source: draft-ietf-httpapi-idempotency-key-header-07, 2.1. Raises IdempotencyKeyInvalid.
    """
    quoted = _QUOTED.fullmatch(header)
    key = _ESCAPED.sub(r"\1", quoted.group(1)) if quoted else header
    if not quoted and not _BARE.fullmatch(header):
        raise IdempotencyKeyInvalid("1 to 255 visible ASCII characters")
    return key


def fingerprint(*, method: str, target: str, content_type: str, body: bytes) -> bytes:
    """Return the SHA-256 by which two inputs under one key are the same input.

    `target` is path and query as sent. A JSON body counts by what it says: member order, spaces and
    escapes do not matter, and of a repeated member the last counts, as it does to our parser. Any
    other body, and one that is not JSON after all, counts by its bytes. Headers do not count.
    """
    parts = [method.upper().encode(), target.encode(), *_canonical(content_type, body)]
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hashlib.sha256(framed).digest()


def replayed(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that are kept with an answer."""
    return {name: value for name, value in headers.items() if name.lower() in REPLAYED_HEADERS}


def _canonical(content_type: str, body: bytes) -> tuple[bytes, bytes]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/json" or media_type.endswith("+json"):
        try:
            read = json.loads(body)
            return b"json", json.dumps(read, sort_keys=True, separators=(",", ":")).encode("ascii")
        except (ValueError, RecursionError):
            pass  # What is not JSON is compared as bytes.
    return media_type.encode(), body
