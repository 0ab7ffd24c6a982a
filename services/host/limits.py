"""How large and how deep a request may be; checked before anything reads it."""

import json
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from services.host.problems import JsonMalformed, JsonTooDeep

KIB: Final = 1024
BODY_BYTES: Final = 64 * KIB
LARGEST_BODY_BYTES: Final = 4 * 1024 * KIB
JSON_DEPTH: Final = 32
INTEGER_DIGITS: Final = 100  # Python refuses to read an integer of more than 4,300.
MARK: Final = "__qiantang_largest_body__"

View = TypeVar("View", bound=Callable[..., Any])

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.?)*(?:"|\Z)', re.DOTALL)  # Never backtracks.
_BRACKETS: Final = bytes(sorted(set(range(256)) - set(b"[]{}")))
_LONG_NUMBER: Final = re.compile(rb"\d{%d}" % INTEGER_DIGITS)
_SUSPECT: Final = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]|NaN|Infinity")


def largest_body(size: int) -> Callable[[View], View]:
    """Let the view take bodies of up to `size` bytes instead of BODY_BYTES; for batches."""
    assert BODY_BYTES < size <= LARGEST_BODY_BYTES, "declare only what exceeds the default"

    def mark(view: View) -> View:
        setattr(view, MARK, size)
        return view

    return mark


def check_json(body: bytes) -> None:
    """Refuse JSON that no schema should have to meet; what passes may still be malformed.

    Refused are nesting beyond JSON_DEPTH, numbers of absurd length, NaN and Infinity (RFC 8259,
    section 6), and texts PostgreSQL cannot hold: NUL and lone surrogates. Raises JsonTooDeep or
    JsonMalformed.
    """
    opened = body.count(b"[") + body.count(b"{")
    if opened > JSON_DEPTH and _deeper_than(JSON_DEPTH, body):
        raise JsonTooDeep(f"at most {JSON_DEPTH} levels")
    if len(body) > INTEGER_DIGITS and _LONG_NUMBER.search(_STRING.sub(b"", body)):
        raise JsonMalformed(f"a number has {INTEGER_DIGITS} digits or more")
    if _SUSPECT.search(body):
        _check_texts(body)


def _deeper_than(limit: int, body: bytes) -> bool:
    """Take off one level of brackets at a time; what is left after `limit` rounds is deeper."""
    rest = _STRING.sub(b"", body).translate(None, _BRACKETS)
    for _ in range(limit):
        rest = rest.replace(b"[]", b"").replace(b"{}", b"")
    return rest.count(b"[") + rest.count(b"{") > 0


def _check_texts(body: bytes) -> None:
    try:
        parsed = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise JsonMalformed from None
    pending = [parsed]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, dict):
            pending += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            pending += value


def _check_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise JsonMalformed("a text holds a NUL or a lone surrogate")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
