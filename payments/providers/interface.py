"""What every payment provider can be asked; the rest of the platform sees nothing else of them.

Amounts are integers in fen, moments are aware UTC. An adapter never decides that silence means
failure: a time-out, an unverifiable answer or a system error is `Outcome.UNKNOWN`, settled by
`query`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from payments.kernel.errors import Invalid
from payments.kernel.money import CNY


class Scene(StrEnum):
    """How the payer meets the payment."""

    MINI_PROGRAM = "mini_program"
    APP = "app"
    H5 = "h5"
    CUSTOMER_SCANS = "customer_scans"
    MERCHANT_SCANS = "merchant_scans"
    WITHHOLDING = "withholding"


class Outcome(StrEnum):
    """What a provider says of a payment or a refund."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLOSED = "closed"
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a provider can do; the contract suite tries what is declared and nothing else."""

    scenes: frozenset[Scene]
    partial_refund: bool
    bill_types: frozenset[str] = frozenset()
    agreement_kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class PaymentInstruction:
    """Ask a provider to take a payment. `number` is our 32-character provider order number.

    `payer` is the provider's own id of the payer (Alipay buyer_id, WeChat openid), where the scene
    needs one.
    """

    number: str
    amount_minor: int
    subject: str
    scene: Scene
    notify_url: str
    expires_at: datetime
    payer: str | None = None
    currency: str = CNY


@dataclass(frozen=True, kw_only=True)
class Started:
    """The answer to a PaymentInstruction.

    `client` is what the front end hands to the provider's SDK (for example `{"trade_no": …}` for
    `my.tradePay`). `reason` is the provider's code when the outcome is FAILED or UNKNOWN.
    """

    outcome: Outcome
    provider_number: str | None = None
    client: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RefundInstruction:
    """Ask a provider to return part or all of a payment; the same `refund_number` is one refund."""

    number: str
    refund_number: str
    amount_minor: int
    paid_minor: int
    reason: str
    currency: str = CNY


@dataclass(frozen=True, kw_only=True)
class PaymentReference:
    """Names a payment in a query."""

    number: str


@dataclass(frozen=True, kw_only=True)
class RefundReference:
    """Names a refund in a query."""

    number: str
    refund_number: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a provider says of one payment or refund, in an answer, a query or a notice.

    Whoever acts on it compares number, amount, currency, app and seller with our own record first:
    a right signature over wrong facts changes nothing (invariant 4). `None` means the provider did
    not say. `refund_number` is set when the report is about a refund; `amount_minor` is then the
    refund's own amount where the provider states it.
    """

    outcome: Outcome
    number: str
    refund_number: str | None = None
    provider_number: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    app_id: str | None = None
    seller_id: str | None = None
    payer: str | None = None
    happened_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A verified notice. `fields` is all of it as parsed, for people; `report` is what we act on.

    `report` is None for kinds of notice that are not about one payment or refund.
    """

    notice_id: str
    kind: str
    report: Report | None
    fields: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """The exact answer a provider expects from its callback."""

    status: int
    body: bytes
    content_type: str


class NoticeRejected(Invalid):
    """The notice is not authentic or not readable; `detail` says which rule it broke."""

    code = "notice-rejected"
    zh = "通知验证失败"
    en = "The notice could not be verified"


class SceneNotSupported(Invalid):
    """The provider does not offer this scene."""

    code = "scene-not-supported"
    zh = "该支付方式不支持此场景"
    en = "The provider does not offer this scene"


class Provider(Protocol):
    """One account at one provider. Stateless: keys and addresses are given when it is made."""

    @property
    def name(self) -> str:
        """The provider's name: alipay, wechatpay or unionpay."""

    @property
    def account_id(self) -> str:
        """Our name for this account; part of the callback URL, and so what chooses the key."""

    @property
    def app_id(self) -> str:
        """The application the provider knows us by; every report is compared with it."""

    @property
    def seller_id(self) -> str:
        """The merchant number the provider pays; every report is compared with it."""

    @property
    def capabilities(self) -> Capabilities:
        """What this provider can do."""

    @property
    def accepted(self) -> Acknowledgement:
        """The answer that stops redelivery; given only after the notice is stored."""

    @property
    def refused(self) -> Acknowledgement:
        """The answer to a notice that was not accepted."""

    def start(self, instruction: PaymentInstruction, *, now: datetime) -> Started:
        """Ask for a payment. Never raises for what the provider or the network does."""

    def query(self, reference: PaymentReference | RefundReference, *, now: datetime) -> Report:
        """Ask what became of a payment or refund.

        NOT_FOUND for a refund: none went through yet; repeat the same instruction.
        """

    def close(self, reference: PaymentReference, *, now: datetime) -> Report:
        """Close an unpaid payment. CLOSED: it can no longer be paid.

        NOT_FOUND: the provider knows no such payment. A code shown to a customer may still become
        one until the instruction's `expires_at`.
        """

    def refund(self, instruction: RefundInstruction, *, now: datetime) -> Report:
        """Ask for a refund; safe to repeat with the same instruction."""

    def read_notice(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Notice:
        """Verify and parse a callback from its raw bytes. Raises NoticeRejected."""
