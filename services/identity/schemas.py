"""What identity is asked and what it answers. Every answer is an allow-list; people are masked."""

from typing import Final

from marshmallow import fields, validate

from services.host.schemas import ObjectSchema
from services.identity.passwords import LONGEST
from services.identity.rules.consent_codes import LONGEST_TYPED
from services.identity.rules.family import Consent, Relation
from services.identity.rules.id_cards import Sex
from services.identity.rules.names import LONGEST_NAME
from services.identity.rules.sealing import PERSONAL_FIELDS
from services.identity.rules.subjects import LONGEST_CODE, SignInProvider

LONGEST_TYPED_NUMBER: Final = 40
LONGEST_REFRESH_TOKEN: Final = 100

CITIZEN_ID: Final = {"example": "cit_01JD3Q8Z5W7V6T4R2P0N8M6K4H"}
SESSION_ID: Final = {"example": "ses_01JD3Q8Z5W7V6T4R2P0N8M6K4J"}
GUARDIANSHIP_ID: Final = {"example": "grd_01JD3Q8Z5W7V6T4R2P0N8M6K4K"}
ID_NUMBER: Final = {"example": "330106199003071017"}
PHONE: Final = {"example": "13805711234"}


class AuthorisationSchema(ObjectSchema):
    """What a provider's app gave the citizen to sign in with."""

    provider = fields.String(
        required=True,
        validate=validate.OneOf(tuple(SignInProvider)),
        metadata={"example": "alipay"},
    )
    code = fields.String(
        required=True,
        validate=[
            validate.Length(min=1, max=LONGEST_CODE),
            validate.Regexp(r"[!-~]+\Z", error="String does not match expected pattern."),
        ],
        metadata={
            "description": "The one-time code of `my.getAuthCode` or `wx.login`.",
            "example": "4b203fe6c11548bcabd8da5bb087a83b",
        },
    )
    app_id = fields.String(
        load_default=None,
        validate=validate.Length(min=1, max=64),
        metadata={
            "description": "Which of our apps, where there are several.",
            "example": "2021000000000001",
        },
    )


class StaffCredentialsSchema(ObjectSchema):
    """What a member of staff signs in with."""

    username = fields.String(
        required=True, validate=validate.Length(min=1, max=64), metadata={"example": "lin.clerk"}
    )
    password = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST),
        metadata={"format": "password", "example": "correct horse battery"},
    )


class RefreshSchema(ObjectSchema):
    """The token to exchange; it is good once."""

    refresh_token = fields.String(
        required=True, validate=validate.Length(min=1, max=LONGEST_REFRESH_TOKEN)
    )


class GrantSchema(ObjectSchema):
    """Tokens of a session. Keep the refresh token like a password and use it once."""

    session_id = fields.String(required=True, metadata=SESSION_ID)
    owner_id = fields.String(
        required=True,
        metadata={"description": "The citizen, or the member of staff.", **CITIZEN_ID},
    )
    token_type = fields.String(dump_default="Bearer", metadata={"example": "Bearer"})
    access_token = fields.String(
        required=True, metadata={"description": "Send it as `Authorization: Bearer …`."}
    )
    access_expires_at = fields.AwareDateTime(required=True)
    refresh_token = fields.String(required=True)
    refresh_expires_at = fields.AwareDateTime(required=True)


class SessionSchema(ObjectSchema):
    """An open session, as its owner sees it."""

    session_id = fields.String(required=True, metadata=SESSION_ID)
    current = fields.Boolean(required=True)
    signed_in_with = fields.String(required=True, metadata={"example": "alipay"})
    opened_at = fields.AwareDateTime(required=True)
    refreshed_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)


class SessionsSchema(ObjectSchema):
    """All open sessions, newest first."""

    sessions = fields.List(fields.Nested(SessionSchema), required=True)


class ExternalIdentitySchema(ObjectSchema):
    """A provider the citizen can sign in with, and their id there: the payer of their payments."""

    provider = fields.String(required=True, metadata={"example": "alipay"})
    app_id = fields.String(required=True, metadata={"example": "2021000000000001"})
    subject = fields.String(
        required=True,
        metadata={
            "description": "The provider's own id of the citizen; the payer of a payment there.",
            "example": "2088000000000001",
        },
    )
    linked_at = fields.AwareDateTime(required=True)


class ExternalIdentitiesSchema(ObjectSchema):
    """Every provider the citizen can sign in with."""

    external_identities = fields.List(fields.Nested(ExternalIdentitySchema), required=True)


class RealNameSchema(ObjectSchema):
    """Name and number as the ID card prints them."""

    name = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_NAME * 2),
        metadata={"example": "王小明"},
    )
    id_number = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_TYPED_NUMBER),
        metadata=ID_NUMBER,
    )


class PhoneSchema(ObjectSchema):
    """A mobile number of the mainland."""

    phone = fields.String(
        required=True, validate=validate.Length(min=1, max=LONGEST_TYPED_NUMBER), metadata=PHONE
    )


class ProfileSchema(ObjectSchema):
    """What we know of a citizen, masked; null where nothing is on record."""

    citizen_id = fields.String(required=True, metadata=CITIZEN_ID)
    name = fields.String(required=True, allow_none=True, metadata={"example": "**明"})
    id_number = fields.String(
        required=True, allow_none=True, metadata={"example": "330106********1017"}
    )
    phone = fields.String(required=True, allow_none=True, metadata={"example": "138****1234"})
    sex = fields.String(required=True, allow_none=True, validate=validate.OneOf(tuple(Sex)))
    minor = fields.Boolean(
        required=True, allow_none=True, metadata={"description": "Under 18 today, by the card."}
    )


class RealNameRecordedSchema(ProfileSchema):
    """The profile with the real name in it, and what a person should look at again."""

    warnings = fields.List(
        fields.String(validate=validate.OneOf(("region-unknown",))),
        required=True,
        metadata={
            "description": (
                "`region-unknown`: the county of the number is not in the published table for"
                " the year of birth, which happens with cards older than a merger of counties."
            )
        },
    )


class MinorSchema(RealNameSchema):
    """A child to put on record, and what it is to the guardian."""

    relation = fields.String(
        required=True, validate=validate.OneOf(tuple(Relation)), metadata={"example": "child"}
    )


class OfferConsentSchema(ObjectSchema):
    """Until when the guardian may act; for a child until it is 18 at the latest."""

    until = fields.Date(
        load_default=None,
        metadata={"description": "The last day, Shanghai; three years when left out."},
    )


class ConsentCodeSchema(ObjectSchema):
    """A code to show to the guardian; who has it becomes one."""

    code = fields.String(required=True, metadata={"example": "7K3M-90QX-VA2D"})
    expires_at = fields.AwareDateTime(required=True)


class RedeemConsentSchema(ObjectSchema):
    """The code one was shown, and what its owner is to oneself."""

    code = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_TYPED),
        metadata={"example": "7K3M-90QX-VA2D"},
    )
    relation = fields.String(
        required=True, validate=validate.OneOf(tuple(Relation)), metadata={"example": "parent"}
    )


class GuardianshipSchema(ObjectSchema):
    """Somebody acts for somebody; the caller is one of the two."""

    guardianship_id = fields.String(required=True, metadata=GUARDIANSHIP_ID)
    side = fields.String(
        required=True,
        validate=validate.OneOf(("guardian", "ward")),
        metadata={"description": "Which side the caller is on."},
    )
    guardian_id = fields.String(required=True, metadata=CITIZEN_ID)
    citizen_id = fields.String(
        required=True,
        metadata={"description": "For whom the guardian acts: `X-Acting-For`.", **CITIZEN_ID},
    )
    name = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The other side's, masked.", "example": "**明"},
    )
    relation = fields.String(required=True, validate=validate.OneOf(tuple(Relation)))
    consent = fields.String(required=True, validate=validate.OneOf(tuple(Consent)))
    consented_by = fields.String(required=True, metadata=CITIZEN_ID)
    consented_at = fields.AwareDateTime(required=True)
    started_at = fields.AwareDateTime(required=True)
    ends_at = fields.AwareDateTime(required=True)


class FamilySchema(ObjectSchema):
    """Every guardianship the caller is in now."""

    guardianships = fields.List(fields.Nested(GuardianshipSchema), required=True)


class PersonalDataReadSchema(ObjectSchema):
    """Somebody was shown personal data of the citizen."""

    reader_kind = fields.String(required=True, validate=validate.OneOf(("citizen", "staff")))
    reader_id = fields.String(required=True, metadata=CITIZEN_ID)
    fields_ = fields.List(
        fields.String(validate=validate.OneOf((*PERSONAL_FIELDS, "subject"))),
        required=True,
        attribute="fields",
        data_key="fields",
    )
    purpose = fields.String(required=True, metadata={"example": "GET /v1/identity/profile"})
    read_at = fields.AwareDateTime(required=True)


class CitizenSearchSchema(ObjectSchema):
    """What a citizen is found by: exactly one of the two, whole."""

    phone = fields.String(
        load_default=None,
        validate=validate.Length(min=1, max=LONGEST_TYPED_NUMBER),
        metadata=PHONE,
    )
    id_number = fields.String(
        load_default=None,
        validate=validate.Length(min=1, max=LONGEST_TYPED_NUMBER),
        metadata=ID_NUMBER,
    )


class CitizensSchema(ObjectSchema):
    """Who was found, masked."""

    citizens = fields.List(fields.Nested(ProfileSchema), required=True)
