"""What no log line may hold: tokens, keys, phone numbers, identity numbers, connection passwords.

Two nets: the name a value is logged under, and the shape of the value itself, which also catches
what a library or a traceback says.
"""

import re
from collections.abc import Collection, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final

REDACTED: Final = "[redacted]"
DEEPEST: Final = 6
LONGEST_TEXT: Final = 8_000  # Characters; a traceback fits, a body does not.

_NAMES: Final = re.compile(
    r"authorization|cookie|token|secret|password|passphrase|private|signature|credential"
    r"|phone|mobile|id_?(?:number|card)|real_?name|auth_?code|(?:^|[_-])key$",
    re.IGNORECASE,
)
_VALUES: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)"  # keys and certificates
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"  # JSON web tokens
    r"|(?i:\bbearer\s+)[\w.~+/=-]+"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # user:password of a URL
    r"|(?<![0-9A-Za-z])(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?![0-9A-Za-z])"  # mobile numbers
    r"|(?<![0-9A-Za-z])\d{6}(?:18|19|20)\d{2}[01]\d[0-3]\d{4}[\dXx](?![0-9A-Za-z])"  # GB 11643
    r"|(?m:^DETAIL:.*$)",  # PostgreSQL quotes whole rows here
    re.DOTALL,
)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """Redact one log event; a structlog processor."""
    return {
        name: value if name == "level" else redacted(value, name=name)
        for name, value in event.items()
    }


def redacted(value: Any, *, name: str = "", depth: int = 0) -> Any:
    """Return a value fit for a log: secrets gone by name and by shape, sizes bounded."""
    if name and value is not None and _is_secret(name):
        return REDACTED
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _redacted_inside(value, depth + 1) if depth < DEEPEST else "[deep]"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    return redacted_text(str(value))


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _NAMES.search(name) is not None


def _redacted_inside(value: Mapping[Any, Any] | Collection[Any], depth: int) -> Any:
    if isinstance(value, Mapping):
        return {
            redacted_text(str(key)): redacted(item, name=str(key), depth=depth)
            for key, item in value.items()
        }
    return [redacted(item, depth=depth) for item in value]


def redacted_text(text: str) -> str:
    """Return a text without anything that has the shape of a secret or of personal data."""
    return _VALUES.sub(REDACTED, text[:LONGEST_TEXT])
