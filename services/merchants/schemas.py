"""What merchants send and get; every answer is a list of what may be told."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from payments.merchants.rules import (
    EVENT_PATTERNS_MAX,
    DisabledReason,
    EndpointStatus,
    MerchantStatus,
    SecretKind,
)
from payments.orders.rules import OrderState
from payments.webhooks.rules import DeliveryState
from services.host.pagination import PageQuerySchema
from services.host.platform import current_platform
from services.host.schemas import ObjectSchema, TitleSchema

URL_MAX = 500


class CallbackUrl(fields.String):
    """An address we may call. The name is resolved here, before any transaction is begun."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        url = super()._deserialize(value, attr, data, **kwargs)
        if url is not None:
            current_platform().guarded_http.examine(url[:URL_MAX])
        return url


def _one_of(words: Any, **metadata: Any) -> fields.String:
    return fields.String(
        required=True, validate=validate.OneOf([str(word) for word in words]), metadata=metadata
    )


def _callback_url(**options: Any) -> CallbackUrl:
    return CallbackUrl(
        validate=validate.Length(max=URL_MAX),
        metadata={
            "description": "https, port 443 or 8443, a public host.",
            "example": "https://metro.example/callbacks",
        },
        **options,
    )


def _event_patterns(**options: Any) -> fields.List[str]:
    return fields.List(
        fields.String(metadata={"example": "order.*"}),
        validate=validate.Length(min=1, max=EVENT_PATTERNS_MAX),
        metadata={"description": "Event types, families such as `order.*`, or `*`."},
        **options,
    )


class DeviceSchema(ObjectSchema):
    """A device of the merchant."""

    device_id = fields.String(required=True, metadata={"example": "dev_01JD3Q8Z5W7V6T4R2P0N8M6K4H"})
    kind = fields.String(required=True, metadata={"example": "kiosk"})
    name = fields.String(required=True, metadata={"example": "龙翔桥 A 口"})
    place = fields.String(required=True, allow_none=True, metadata={"example": "0107"})


class WhoAmISchema(ObjectSchema):
    """Whose signature we have just believed."""

    kind = _one_of(("merchant", "device"))
    merchant_id = fields.String(
        required=True, metadata={"example": "mer_01JD3Q8Z5W7V6T4R2P0N8M6K4H"}
    )
    book_id = fields.String(required=True, metadata={"example": "HZMTRO"})
    name = fields.Nested(TitleSchema, required=True)
    status = _one_of(MerchantStatus)
    device = fields.Nested(DeviceSchema, required=True, allow_none=True)
    server_time = fields.AwareDateTime(
        required=True, metadata={"description": "Our clock, by which `created` is judged."}
    )


class EndpointInputSchema(ObjectSchema):
    """A callback endpoint to be added."""

    url = _callback_url(required=True)
    events = _event_patterns(required=True)
    signatures = fields.List(
        fields.Enum(SecretKind, by_value=True),
        load_default=lambda: [SecretKind.HMAC],
        validate=validate.Length(min=1, max=len(SecretKind)),
        metadata={"description": "`v1`: HMAC-SHA256, a shared secret; `v1a`: Ed25519."},
    )


class EndpointChangeSchema(ObjectSchema):
    """What to change about a callback endpoint; what is left out stays."""

    url = _callback_url()
    events = _event_patterns()


class EndpointSchema(ObjectSchema):
    """A callback endpoint."""

    endpoint_id = fields.String(
        required=True, metadata={"example": "cep_01JD3Q8Z5W7V6T4R2P0N8M6K4H"}
    )
    url = fields.String(required=True, metadata={"example": "https://metro.example/callbacks"})
    events = fields.List(fields.String(), required=True, metadata={"example": ["order.*"]})
    api_version = fields.String(required=True, metadata={"example": "v1"})
    status = _one_of(EndpointStatus)
    disabled_reason = fields.String(
        required=True, allow_none=True, validate=validate.OneOf([*map(str, DisabledReason), None])
    )
    created_at = fields.AwareDateTime(required=True)


class EndpointListSchema(ObjectSchema):
    """All callback endpoints of a merchant."""

    items = fields.List(fields.Nested(EndpointSchema), required=True)


class SecretSchema(ObjectSchema):
    """What to verify callbacks with; shown this once."""

    kind = _one_of(SecretKind, description="`v1`: HMAC-SHA256; `v1a`: Ed25519.")
    secret = fields.String(
        required=True,
        metadata={
            "description": "`whsec_…`, the shared secret, or `whpk_…`, our public key.",
            "example": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        },
    )


class NewEndpointSchema(ObjectSchema):
    """A callback endpoint that was just added, and its secrets."""

    endpoint = fields.Nested(EndpointSchema, required=True)
    secrets = fields.List(fields.Nested(SecretSchema), required=True)


class RotationSchema(ObjectSchema):
    """Which kind of secret to replace; the old one signs beside the new one for a day."""

    kind = fields.Enum(SecretKind, by_value=True, load_default=SecretKind.HMAC)


class RangeSchema(ObjectSchema):
    """The deliveries first due from `since` up to, but not at, `until`."""

    since = fields.AwareDateTime(required=True)
    until = fields.AwareDateTime(required=True)


class ReplayedSchema(ObjectSchema):
    """How many deliveries will be sent again."""

    deliveries = fields.Integer(required=True, strict=True)


class DeliveryQuerySchema(PageQuerySchema):
    """Which deliveries."""

    endpoint_id = fields.String(load_default=None, validate=validate.Length(max=64))
    state = fields.Enum(DeliveryState, by_value=True, load_default=None)


class DeliverySchema(ObjectSchema):
    """One event on its way to one endpoint."""

    delivery_id = fields.String(
        required=True, metadata={"example": "dlv_01JD3Q8Z5W7V6T4R2P0N8M6K4H"}
    )
    endpoint_id = fields.String(required=True)
    event_id = fields.String(required=True, metadata={"description": "The `webhook-id`."})
    event_type = fields.String(required=True, metadata={"example": "order.paid"})
    subject = fields.String(required=True)
    state = _one_of(DeliveryState)
    attempts = fields.Integer(required=True)
    next_attempt_at = fields.AwareDateTime(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)


class AttemptSchema(ObjectSchema):
    """One request to an endpoint."""

    number = fields.Integer(required=True)
    started_at = fields.AwareDateTime(required=True)
    duration_ms = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Null while it runs, or when its sender died."},
    )
    status = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Null when no answer came."}
    )
    reason = fields.String(required=True, metadata={"description": "Why no answer came."})
    excerpt = fields.String(required=True, metadata={"description": "How the answer began."})


class DeliveryDetailSchema(DeliverySchema):
    """A delivery with what is sent and every attempt."""

    body = fields.String(required=True, metadata={"description": "The callback's exact body."})
    log = fields.List(fields.Nested(AttemptSchema), required=True)


class MerchantOrderSchema(ObjectSchema):
    """An order in the merchant's book."""

    order_id = fields.String(
        required=True, metadata={"example": "ord_HZMTRO01JD3Q8Z5W7V6T4R2P0N8M6K4H"}
    )
    service = fields.String(required=True, metadata={"example": "transit"})
    service_reference = fields.String(required=True)
    state = _one_of(OrderState)
    amount_minor = fields.Integer(required=True, metadata={"example": 400})
    refunded_minor = fields.Integer(required=True)
    currency = fields.String(required=True, metadata={"example": "CNY"})
    placed_at = fields.AwareDateTime(required=True)
    paid_at = fields.AwareDateTime(required=True, allow_none=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)
