"""What transit is asked and what it answers; every answer lists exactly what may be seen."""

from collections.abc import Mapping
from typing import Any

import segno
from marshmallow import fields, pre_dump, validate

from services.host.schemas import ObjectSchema
from services.transit.models import Ticket
from services.transit.rules.sentences import sentences
from services.transit.rules.tickets import (
    PICK_UP_LENGTH,
    RefundReason,
    TicketState,
    show_pick_up_code,
)

STATION_ID = validate.Length(min=1, max=32)
LONGEST_TYPED_CODE = 3 * PICK_UP_LENGTH  # With whatever spaces and hyphens people add.
QR_SCALE = 6

EXPLANATION = {
    "rule": "hangzhou-metro-distance",
    "version": "1",
    "inputs": {"network": "2019-01", "from": "5", "to": "16", "track_factor": 10976},
    "steps": [{"name": "fare", "figures": {"fare_minor": 400}}],
}


def picture(ticket: Ticket) -> str | None:
    """Return the pick-up code as a data URI of a PNG, None while there is none."""
    if ticket.pick_up_code is None:
        return None
    code = segno.make_qr(ticket.pick_up_code, error="m")
    uri: str = code.png_data_uri(scale=QR_SCALE)
    return uri


class StationSchema(ObjectSchema):
    """A station and the lines that stop there."""

    station_id = fields.String(required=True, metadata={"example": "5"})
    name_zh = fields.String(required=True, metadata={"example": "近江"})
    name_en = fields.String(required=True, metadata={"example": "Jinjiang"})
    lines = fields.List(fields.String(), required=True, metadata={"example": ["1", "4"]})
    latitude = fields.Float(required=True, metadata={"example": 30.230794})
    longitude = fields.Float(required=True, metadata={"example": 120.19785})


class LineSchema(ObjectSchema):
    """A line and who runs it."""

    line_id = fields.String(required=True, metadata={"example": "4"})
    mode = fields.String(required=True, metadata={"example": "metro"})
    operator_id = fields.String(required=True, metadata={"example": "hangzhou-metro"})
    name_zh = fields.String(required=True, metadata={"example": "4号线"})
    name_en = fields.String(required=True, metadata={"example": "Line 4"})


class NetworkSchema(ObjectSchema):
    """The network in force today."""

    version = fields.String(required=True, metadata={"example": "2019-01"})
    lines = fields.List(fields.Nested(LineSchema), required=True)
    stations = fields.List(fields.Nested(StationSchema), required=True)


class JourneySchema(ObjectSchema):
    """From where to where."""

    from_station = fields.String(
        required=True, data_key="from", validate=STATION_ID, metadata={"example": "5"}
    )
    to_station = fields.String(
        required=True, data_key="to", validate=STATION_ID, metadata={"example": "16"}
    )


class OrderTicketSchema(JourneySchema):
    """Which single journeys to buy."""

    count = fields.Integer(
        strict=True,
        load_default=1,
        validate=validate.Range(min=1, max=50),
        metadata={"description": "Equal journeys, collected together.", "example": 1},
    )


class StepSchema(ObjectSchema):
    """One step of the reckoning, with the figures that went in and came out."""

    name = fields.String(required=True, metadata={"example": "fare"})
    figures = fields.Dict(
        keys=fields.String(), values=fields.Integer(), metadata={"example": {"fare_minor": 400}}
    )


class SentenceSchema(ObjectSchema):
    """A step as a person reads it."""

    zh = fields.String(required=True, metadata={"example": "票价 4.00 元"})
    en = fields.String(required=True, metadata={"example": "The fare is 4.00 yuan"})


class ExplanationSchema(ObjectSchema):
    """Why a fare is what it is; from rule, version and inputs it can be recomputed."""

    rule = fields.String(required=True, metadata={"example": EXPLANATION["rule"]})
    version = fields.String(required=True, metadata={"example": "1"})
    inputs = fields.Dict(required=True, metadata={"example": EXPLANATION["inputs"]})
    steps = fields.List(fields.Nested(StepSchema), required=True)
    sentences = fields.List(fields.Nested(SentenceSchema), required=True)

    @pre_dump
    def say(self, explanation: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """Add the steps as sentences."""
        return {**explanation, "sentences": sentences(explanation)}


class FareSchema(JourneySchema):
    """What one adult pays for one journey today, and why."""

    fare_minor = fields.Integer(required=True, metadata={"description": "Fen.", "example": 400})
    currency = fields.String(required=True, metadata={"example": "CNY"})
    distance_m = fields.Integer(
        required=True, metadata={"description": "Metres of track.", "example": 9650}
    )
    explanation = fields.Nested(ExplanationSchema, required=True)


class TicketSchema(JourneySchema):
    """A ticket as its owner sees it. `order_id` is what is paid; times are UTC."""

    id = fields.String(required=True, metadata={"example": "tkt_HZMTRO01JD3Q8Z5W7V6T4R2P0N8M6K4H"})
    order_id = fields.String(
        required=True, metadata={"example": "ord_HZMTRO01JD3Q8Z5W7V6T4R2P0N8M6K4H"}
    )
    state = fields.String(
        required=True, validate=validate.OneOf(list(TicketState)), metadata={"example": "paid"}
    )
    count = fields.Integer(required=True, metadata={"example": 1})
    fare_minor = fields.Integer(
        required=True, metadata={"description": "Fen for one journey.", "example": 400}
    )
    amount_minor = fields.Integer(
        required=True, metadata={"description": "Fen for all journeys.", "example": 400}
    )
    currency = fields.String(required=True, metadata={"example": "CNY"})
    distance_m = fields.Integer(required=True, metadata={"example": 9650})
    explanation = fields.Nested(ExplanationSchema, required=True)
    ordered_at = fields.AwareDateTime(required=True)
    pay_until = fields.AwareDateTime(required=True)
    collect_until = fields.AwareDateTime(
        required=True,
        metadata={"description": "From then on the money goes back by itself."},
    )
    pick_up_code = fields.Function(
        lambda ticket: ticket.pick_up_code and show_pick_up_code(ticket.pick_up_code),
        metadata={
            "type": ["string", "null"],
            "description": "To type or show at a kiosk, once the ticket is paid.",
            "example": "7K3M-Q9ZD-2V4X",
        },
    )
    paid_at = fields.AwareDateTime(required=True, allow_none=True)
    collected_at = fields.AwareDateTime(required=True, allow_none=True)
    refund_reason = fields.String(
        required=True, allow_none=True, validate=validate.OneOf(list(RefundReason))
    )
    refunded_at = fields.AwareDateTime(required=True, allow_none=True)
    lapsed_at = fields.AwareDateTime(required=True, allow_none=True)


class OneTicketSchema(TicketSchema):
    """A ticket with its pick-up code as a picture."""

    pick_up_qr = fields.Function(
        picture,
        metadata={
            "type": ["string", "null"],
            "description": "The code as a QR picture: a data URI of a PNG.",
            "example": "data:image/png;base64,iVBORw0KGgo=",
        },
    )


class PickUpSchema(ObjectSchema):
    """What a kiosk was given."""

    pick_up_code = fields.String(
        required=True,
        validate=validate.Length(min=PICK_UP_LENGTH, max=LONGEST_TYPED_CODE),
        metadata={"description": "As typed or scanned.", "example": "7K3M-Q9ZD-2V4X"},
    )


class CollectionSchema(JourneySchema):
    """What a kiosk hands out: `count` single journeys. It learns nothing of whose they are."""

    ticket_id = fields.String(
        required=True,
        attribute="id",
        metadata={"example": "tkt_HZMTRO01JD3Q8Z5W7V6T4R2P0N8M6K4H"},
    )
    count = fields.Integer(required=True, metadata={"example": 1})
    fare_minor = fields.Integer(required=True, metadata={"example": 400})
    currency = fields.String(required=True, metadata={"example": "CNY"})
    collected_at = fields.AwareDateTime(required=True)
