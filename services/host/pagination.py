"""Pages by keyset: a cursor says after which row to go on, so nothing is skipped or shown twice.

    @blueprint.arguments(PageQuerySchema, location="query")
    @blueprint.response(200, page_schema(TicketSchema))
    def tickets(page): return paginate(
        **page,
        fetch=lambda after, limit: queries.tickets(…, after=after, limit=limit),
        position=lambda ticket: (ticket.created_at, ticket.id),
    )

A query orders by the columns of the position, the last of which is unique, and returns the first
`limit` rows beyond `after`. Cursors are opaque and signed; they hold for the same caller, list and
filters only.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final, Generic, TypeVar

from flask import g, request
from marshmallow import Schema, fields, validate

from services.host.platform import current_platform
from services.host.problems import CursorInvalid
from services.host.schemas import ObjectSchema

DEFAULT_LIMIT: Final = 20
LARGEST_LIMIT: Final = 100
LONGEST_CURSOR: Final = 512  # Characters.
MAC_BYTES: Final = 16

Row = TypeVar("Row")
Position = tuple[str | int | datetime | date, ...]


class PageQuerySchema(Schema):
    """Which page of a list."""

    cursor = fields.String(
        load_default=None,
        allow_none=False,
        validate=validate.Length(min=1, max=LONGEST_CURSOR),
        metadata={"description": "`next_cursor` of the page before; leave out for the first."},
    )
    limit = fields.Integer(
        load_default=DEFAULT_LIMIT,
        validate=validate.Range(min=1, max=LARGEST_LIMIT),
        metadata={"description": "How many items at most."},
    )


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Row]):
    """Some rows, and how to ask for the next ones; `next_cursor` is None on the last page."""

    items: Sequence[Row]
    next_cursor: str | None


@cache
def page_schema(item: type[Schema]) -> type[Schema]:
    """Return the schema of a page of `item`."""
    name = f"{item.__name__.removesuffix('Schema')}PageSchema"
    return type(
        name,
        (ObjectSchema,),
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next_cursor": fields.String(
                required=True,
                allow_none=True,
                metadata={"description": "Pass as `cursor`; null on the last page."},
            ),
        },
    )


def paginate(
    *,
    cursor: str | None,
    limit: int,
    fetch: Callable[[Position | None, int], Sequence[Row]],
    position: Callable[[Row], Position],
) -> Page[Row]:
    """Return the page after a cursor; asks for one row more to know whether another follows.

    Raises CursorInvalid.
    """
    after = None if cursor is None else _read(cursor)
    found = fetch(after, limit + 1)
    items = found[:limit]
    more = len(found) > limit
    return Page(items=items, next_cursor=_written(position(items[-1])) if more else None)


def _written(position: Position) -> str:
    payload = json.dumps([_tagged(value) for value in position], separators=(",", ":")).encode()
    cursor = base64.urlsafe_b64encode(_mac(payload) + payload).rstrip(b"=").decode("ascii")
    assert len(cursor) <= LONGEST_CURSOR, "a position is a few short values"
    return cursor


def _read(cursor: str) -> Position:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raise CursorInvalid from None
    mac, payload = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(payload)):
        raise CursorInvalid("pass next_cursor unchanged, with the same filters")
    return tuple(_untagged(value) for value in json.loads(payload))


def _mac(payload: bytes) -> bytes:
    secret = current_platform().settings.keys.secret.get_secret_value()
    scope = json.dumps(["cursor", str(g.route), _caller(), _filters()]).encode()
    key = hmac.digest(secret, scope, "sha256")
    return hmac.digest(key, payload, "sha256")[:MAC_BYTES]


def _caller() -> str:
    principal = g.get("principal")
    return str(principal) if principal else ""


def _filters() -> list[tuple[str, str]]:
    return sorted(
        (name, value)
        for name, value in [*request.args.items(multi=True), *(request.view_args or {}).items()]
        if name not in {"cursor", "limit"}
    )


def _tagged(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    return {"date": value.isoformat()} if isinstance(value, date) else value


def _untagged(value: Any) -> Any:
    if isinstance(value, dict):
        if "moment" in value:
            return datetime.fromisoformat(value["moment"])
        return date.fromisoformat(value["date"])
    return value
