"""What the host's own addresses answer."""

from marshmallow import RAISE, Schema, fields, validate


class ObjectSchema(Schema):
    """An object with exactly the members that are declared: no more in, no more out."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE


class TitleSchema(ObjectSchema):
    """A text in both languages."""

    zh = fields.String(required=True, metadata={"example": "地铁购票"})
    en = fields.String(required=True, metadata={"example": "Metro tickets"})


class CatalogueServiceSchema(ObjectSchema):
    """One service, as a front end lists it."""

    name = fields.String(required=True, metadata={"example": "metro-tickets"})
    plugin = fields.String(required=True, metadata={"example": "transit"})
    title = fields.Nested(TitleSchema, required=True)
    summary = fields.Nested(TitleSchema, required=True)
    path = fields.String(
        required=True,
        metadata={"description": "Where its operations begin.", "example": "/v1/transit"},
    )


class CatalogueGroupSchema(ObjectSchema):
    """Services that belong together."""

    name = fields.String(
        required=True,
        validate=validate.OneOf(("transit", "medical", "government", "car-owner")),
        metadata={"example": "transit"},
    )
    title = fields.Nested(TitleSchema, required=True)
    services = fields.List(fields.Nested(CatalogueServiceSchema), required=True)


class CatalogueSchema(ObjectSchema):
    """Everything the city offers here."""

    groups = fields.List(fields.Nested(CatalogueGroupSchema), required=True)
