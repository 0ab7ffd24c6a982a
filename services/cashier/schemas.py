"""What the cashier is asked and what it answers."""

from marshmallow import fields, validate

from payments.orders.rules import AttemptState, CloseReason, OrderState
from payments.providers.interface import Scene
from payments.refunds.rules import RefundState
from services.host.schemas import ObjectSchema

FEN = {"description": "In fen.", "example": 400}


def _word(*words: str, example: str) -> fields.String:
    return fields.String(
        required=True, validate=validate.OneOf(words), metadata={"example": example}
    )


class OrderSchema(ObjectSchema):
    """What a citizen owes, or has paid."""

    id = fields.String(required=True, metadata={"example": "ord_HZMTRO01JDA0000000000000000000"})
    service = fields.String(required=True, metadata={"example": "transit"})
    service_reference = fields.String(
        required=True, metadata={"description": "The service's own name for it."}
    )
    state = _word(*OrderState, example="open")
    subject = fields.String(required=True, metadata={"example": "地铁单程票 凤起路 → 西湖"})
    amount_minor = fields.Integer(required=True, metadata=FEN)
    currency = fields.String(required=True, metadata={"example": "CNY"})
    refunding_minor = fields.Integer(
        required=True, metadata={"description": "On its way back to the payer, in fen."}
    )
    refunded_minor = fields.Integer(
        required=True, metadata={"description": "Returned to the payer, in fen."}
    )
    placed_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(
        required=True, metadata={"description": "It can be paid until then."}
    )
    paid_at = fields.AwareDateTime(required=True, allow_none=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)
    close_reason = fields.String(
        required=True, allow_none=True, validate=validate.OneOf(tuple(CloseReason))
    )


class PayOrderSchema(ObjectSchema):
    """How the citizen wants to pay."""

    provider = fields.String(
        required=True,
        validate=validate.OneOf(("alipay", "wechatpay", "unionpay")),
        metadata={"example": "alipay"},
    )
    scene = fields.String(
        load_default=Scene.MINI_PROGRAM,
        validate=validate.OneOf(tuple(Scene)),
        metadata={"example": "mini_program"},
    )
    payer = fields.String(
        load_default=None,
        validate=validate.Regexp(r"^[0-9A-Za-z_-]{1,128}$"),
        metadata={
            "description": "The provider's own id of the payer, where the scene needs one.",
            "example": "2088000000000001",
        },
    )


class PaymentSchema(ObjectSchema):
    """One attempt to pay an order."""

    id = fields.String(required=True, metadata={"example": "att_HZMTRO01JDA0000000000000000000"})
    order_id = fields.String(required=True)
    provider = fields.String(required=True, metadata={"example": "alipay"})
    scene = _word(*Scene, example="mini_program")
    state = _word(*AttemptState, example="pending")
    amount_minor = fields.Integer(required=True, metadata=FEN)
    currency = fields.String(required=True, metadata={"example": "CNY"})
    started_at = fields.AwareDateTime(required=True)
    succeeded_at = fields.AwareDateTime(required=True, allow_none=True)


class BegunPaymentSchema(PaymentSchema):
    """An attempt to pay, with what the front end needs to go on."""

    client = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={
            "description": "Hand this to the provider's SDK, such as `my.tradePay`.",
            "example": {"trade_no": "2026112322001400000000000001"},
        },
    )


class RefundSchema(ObjectSchema):
    """Money on its way back, or back."""

    id = fields.String(required=True, metadata={"example": "ref_HZMTRO01JDA0000000000000000000"})
    order_id = fields.String(required=True)
    state = _word(*RefundState, example="succeeded")
    amount_minor = fields.Integer(required=True, metadata=FEN)
    currency = fields.String(required=True, metadata={"example": "CNY"})
    reason = fields.String(required=True)
    requested_at = fields.AwareDateTime(required=True)
    succeeded_at = fields.AwareDateTime(required=True, allow_none=True)


class ReceiptSchema(ObjectSchema):
    """What was paid for an order, how, and what was returned."""

    order = fields.Nested(OrderSchema, required=True)
    payment = fields.Nested(PaymentSchema, required=True)
    provider_number = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The provider's own number of the payment."},
    )
    refunds = fields.List(fields.Nested(RefundSchema), required=True)


class OrderRefundsSchema(ObjectSchema):
    """Everything on its way back to the payer of an order."""

    refunds = fields.List(fields.Nested(RefundSchema), required=True)
    returns = fields.List(
        fields.Nested(RefundSchema),
        required=True,
        metadata={"description": "Payments that came twice or too late, returned by themselves."},
    )
