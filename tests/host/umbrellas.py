"""A small plug-in for the host's tests: citizens borrow umbrellas."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Request
from flask_smorest import Blueprint
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from payments.events import operations as events
from payments.events.facts import Fact
from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.errors import Conflict, Unavailable
from payments.kernel.ids import PLATFORM_BOOK
from services.host.access import Principal, current_principal, public, requires
from services.host.application import create_app
from services.host.idempotency import idempotent
from services.host.limits import KIB, largest_body
from services.host.manifest import CatalogueEntry, Plugin, Title
from services.host.pagination import PageQuerySchema, Position, page_schema, paginate
from services.host.platform import Platform, current_platform
from services.host.schemas import ObjectSchema
from services.host.settings import Settings

CALLS: list[str] = []


@dataclass(frozen=True, kw_only=True)
class UmbrellaLent(Fact):
    """An umbrella left its stand."""

    name = "umbrella.lent"
    loan_id: str
    lent_at: datetime

    @property
    def subject(self) -> str:
        return self.loan_id

    @property
    def occurred_at(self) -> datetime:
        return self.lent_at


class UmbrellaOutOfStock(Conflict):
    """The stand is empty."""

    code = "umbrella-out-of-stock"
    zh = "雨伞已借完"
    en = "There is no umbrella left"


class SizeSchema(ObjectSchema):
    """How large."""

    ribs = fields.Integer(required=True, strict=True)


class LoanInputSchema(ObjectSchema):
    """What to borrow."""

    stand = fields.String(required=True, validate=validate.Length(min=1, max=20))
    sizes = fields.List(fields.Nested(SizeSchema), load_default=list)


class LoanSchema(ObjectSchema):
    """What was borrowed."""

    stand = fields.String(required=True)
    borrower = fields.String(required=True)


class StandSchema(ObjectSchema):
    """Where umbrellas are."""

    name = fields.String(required=True)


blueprint = Blueprint("umbrellas", __name__, url_prefix="/v1/umbrellas")


@blueprint.route("/stands", methods=["GET"])
@public(reason="Everybody sees the stands.")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, page_schema(StandSchema))
def stands(page: dict[str, Any]) -> Any:
    """List the stands."""

    def fetch(after: Position | None, limit: int) -> list[dict[str, str]]:
        names = [f"stand-{number:03d}" for number in range(45)]
        return [{"name": name} for name in names if after is None or name > str(after[0])][:limit]

    return paginate(**page, fetch=fetch, position=lambda stand: (stand["name"],))


@blueprint.route("/loans", methods=["POST"])
@requires("citizen")
@blueprint.arguments(LoanInputSchema)
@idempotent.transaction
@blueprint.response(201, LoanSchema)
def lend(arguments: dict[str, Any], *, session: Session) -> dict[str, str]:
    """Borrow an umbrella."""
    now = current_platform().clock.now()
    stand = arguments["stand"]
    CALLS.append(stand)
    fact = UmbrellaLent(book_id=PLATFORM_BOOK, loan_id=stand, lent_at=now)
    events.record(session, fact, now=now)
    if stand == "empty":
        raise UmbrellaOutOfStock
    if stand == "busy":
        raise Unavailable
    if stand == "broken":
        raise ZeroDivisionError("13812345678 was told a secret")
    return {"stand": stand, "borrower": current_principal().id}


@blueprint.route("/repairs", methods=["POST"])
@requires("staff", role="mechanic")
@blueprint.arguments(LoanInputSchema)
@idempotent.flow
@blueprint.response(201, LoanSchema)
def repair(arguments: dict[str, Any], *, request_key: str) -> dict[str, str]:
    """Have an umbrella repaired elsewhere."""
    CALLS.append(request_key)
    if arguments["stand"] == "empty":
        raise UmbrellaOutOfStock
    if arguments["stand"] == "busy":
        raise Unavailable
    if arguments["stand"] == "killed" and len(CALLS) == 1:
        raise KeyboardInterrupt
    return {"stand": arguments["stand"], "borrower": request_key}


@blueprint.route("/taps", methods=["POST"])
@requires("device", "merchant")
@largest_body(128 * KIB)
@idempotent.exempt(reason="Taps are numbered by the device.")
@blueprint.response(204)
def taps() -> None:
    """Take a batch of taps."""


@blueprint.route("/loans/<loan_id>", methods=["GET"])
@requires("citizen", "staff")
@blueprint.response(200, LoanSchema)
def loan(loan_id: str) -> dict[str, str]:
    """Look at a loan."""
    return {"stand": loan_id, "borrower": current_principal().id, "secret": "never shown"}


def bearer(request: Request, _platform: Platform) -> Principal | None:
    """Believe tokens like citizen.cit_1 and staff.stf_1.mechanic."""
    kind, _, rest = request.headers["Authorization"].removeprefix("Bearer ").partition(".")
    identity, _, role = rest.partition(".")
    if kind == "citizen":
        return Principal(kind="citizen", id=identity)
    if kind == "staff":
        return Principal(kind="staff", id=identity, roles=frozenset({role} - {""}))
    return None


def signature(request: Request, _platform: Platform) -> Principal | None:
    """Believe whatever Signature-Input says."""
    return Principal(kind="device", id=request.headers["Signature-Input"])


PLUGIN = Plugin(
    name="umbrellas",
    title=Title(zh="雨伞", en="Umbrellas"),
    blueprints=(blueprint,),
    authenticators={"bearer": bearer, "signature": signature},
    catalogue=(
        CatalogueEntry(
            name="umbrella-loans",
            group="transit",
            title=Title(zh="借伞", en="Borrow an umbrella"),
            summary=Title(zh="下雨也不怕", en="Rain or shine"),
            path="/v1/umbrellas",
        ),
    ),
)


def settings(**given: Any) -> Settings:
    """Settings with keys of their own, whatever the environment says."""
    key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    other = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
    ring: Mapping[str, Any] = {"current": "t1", "keys": {"t1": key}}
    return Settings(
        **{
            "environment": "development",
            "database_url": "postgresql://nobody@127.0.0.1:1/nowhere",
            "personal_data_keys": {**ring, "index": other},
            "token_keys": ring,
            "secret_key": key,
            **given,
        }
    )


def app_over(database: Database | None, clock: FixedClock, *plugins: Plugin, **given: Any) -> Any:
    """An application with the umbrellas in it, over the test's database."""
    return create_app(
        settings(**given), installed=plugins or (PLUGIN,), database=database, clock=clock
    )
