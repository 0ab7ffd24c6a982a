"""The merchants' tables. All small and read by everybody, except the memory of nonces."""

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.states import one_of
from payments.merchants.rules import (
    DeviceKind,
    DisabledReason,
    EndpointStatus,
    KeyAlgorithm,
    KeyOwner,
    MerchantStatus,
    SecretKind,
)

REFERENCE = {"schema": "merchants", "info": {"sharding": "reference"}}
LOCAL = {"schema": "merchants", "info": {"sharding": "local"}}


class Merchant(Model):
    """Somebody who is paid through the platform; has exactly one book."""

    __tablename__ = "merchants"
    __table_args__ = (CheckConstraint(one_of("status", MerchantStatus), name="status"), REFERENCE)

    merchant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    book_id: Mapped[str] = mapped_column(Text, unique=True)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    credit_code: Mapped[str] = mapped_column(Text, unique=True)
    status: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Device(Model):
    """A machine that signs for itself. `place` is where it stands, in its service's own words."""

    __tablename__ = "devices"
    __table_args__ = (CheckConstraint(one_of("kind", DeviceKind), name="kind"), REFERENCE)

    device_id: Mapped[str] = mapped_column(Text, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(
        Text, ForeignKey("merchants.merchants.merchant_id"), index=True
    )
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    place: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SigningKey(Model):
    """A public key whose signatures speak for a merchant, or for one of its devices only."""

    __tablename__ = "signing_keys"
    __table_args__ = (
        CheckConstraint(one_of("owner_kind", KeyOwner), name="owner_kind"),
        CheckConstraint(one_of("algorithm", KeyAlgorithm), name="algorithm"),
        CheckConstraint("(owner_kind = 'device') = (device_id IS NOT NULL)", name="owner"),
        CheckConstraint("valid_until > valid_from", name="validity"),
        REFERENCE,
    )

    key_id: Mapped[str] = mapped_column(Text, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(
        Text, ForeignKey("merchants.merchants.merchant_id"), index=True
    )
    owner_kind: Mapped[str] = mapped_column(Text)
    device_id: Mapped[str | None] = mapped_column(Text, ForeignKey("merchants.devices.device_id"))
    algorithm: Mapped[str] = mapped_column(Text)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    valid_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    valid_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Nonce(Model):
    """A nonce that was used; kept while a request that bears it could still be fresh."""

    __tablename__ = "nonces"
    __table_args__ = (LOCAL,)

    key_id: Mapped[str] = mapped_column(Text, primary_key=True)
    nonce: Mapped[str] = mapped_column(Text, primary_key=True)
    forget_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class CallbackEndpoint(Model):
    """An address of a merchant that is told of events its filter lets through."""

    __tablename__ = "callback_endpoints"
    __table_args__ = (
        CheckConstraint(one_of("status", EndpointStatus), name="status"),
        CheckConstraint(one_of("disabled_reason", DisabledReason), name="disabled_reason"),
        CheckConstraint("(status = 'disabled') = (disabled_reason IS NOT NULL)", name="reason"),
        REFERENCE,
    )

    endpoint_id: Mapped[str] = mapped_column(Text, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(
        Text, ForeignKey("merchants.merchants.merchant_id"), index=True
    )
    book_id: Mapped[str] = mapped_column(Text, index=True)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    api_version: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class EndpointSecret(Model):
    """What callbacks to an endpoint are signed with; several sign side by side while rotating.

    `sealed` is the secret under the vault. `public_key` is what the merchant verifies with, for
    Ed25519. A secret signs until `retires_at`.
    """

    __tablename__ = "endpoint_secrets"
    __table_args__ = (
        CheckConstraint(one_of("kind", SecretKind), name="kind"),
        CheckConstraint("(kind = 'v1a') = (public_key IS NOT NULL)", name="public"),
        REFERENCE,
    )

    secret_id: Mapped[str] = mapped_column(Text, primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(
        Text, ForeignKey("merchants.callback_endpoints.endpoint_id"), index=True
    )
    kind: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[str | None] = mapped_column(Text)
    retires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
