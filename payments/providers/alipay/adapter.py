"""One Alipay account as a Provider. What Alipay's codes mean for us stands in `codes`.

Success is only what a verified answer says in the words of its method; silence, an answer that
cannot be verified and a system error are UNKNOWN, which a query settles.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from payments.kernel.http import HttpClient, HttpFailure
from payments.kernel.money import format_yuan
from payments.providers.accounts import AccountFile, AccountInvalid
from payments.providers.alipay import codes, keys, reports, wire
from payments.providers.interface import (
    Acknowledgement,
    Capabilities,
    Notice,
    Outcome,
    PaymentInstruction,
    PaymentReference,
    RefundInstruction,
    RefundReference,
    Report,
    Scene,
    SceneNotSupported,
    Started,
)

# The documentation forbids these in a subject; their full-width forms read the same.
SUBJECT_SIGNS: Final = str.maketrans({"/": "／", "=": "＝", "&": "＆"})
LONGEST_SUBJECT: Final = 256
LONGEST_REASON: Final = 256

# An Alipay user id; a payer of any other form is an open id.
USER_ID: Final = re.compile(r"2088[0-9]{12}", re.ASCII)

CAPABILITIES: Final = Capabilities(
    scenes=frozenset({Scene.MINI_PROGRAM, Scene.CUSTOMER_SCANS}), partial_refund=True
)
ACCEPTED: Final = Acknowledgement(status=200, body=b"success", content_type="text/plain")
REFUSED: Final = Acknowledgement(status=200, body=b"failure", content_type="text/plain")
FORM: Final = "application/x-www-form-urlencoded;charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Alipay:
    """An account at Alipay, reached through one gateway address."""

    account_id: str
    seller_id: str
    gateway: str
    credentials: wire.Credentials
    http: HttpClient
    name: str = "alipay"
    capabilities: Capabilities = CAPABILITIES
    accepted: Acknowledgement = ACCEPTED
    refused: Acknowledgement = REFUSED

    @property
    def app_id(self) -> str:
        """The application Alipay knows us by."""
        return self.credentials.app_id

    def start(self, instruction: PaymentInstruction, *, now: datetime) -> Started:
        """Create a trade for a mini program, or a code for the customer to scan."""
        content = {
            "out_trade_no": instruction.number,
            "total_amount": format_yuan(instruction.amount_minor),
            "subject": instruction.subject.translate(SUBJECT_SIGNS)[:LONGEST_SUBJECT],
            "time_expire": wire.format_time(instruction.expires_at),
        }
        if instruction.scene is Scene.MINI_PROGRAM:
            if not instruction.payer:
                raise SceneNotSupported("a mini program payment names its payer")
            method, client = codes.CREATE, "trade_no"
            content |= {"product_code": "JSAPI_PAY", "op_app_id": self.app_id}
            is_user_id = USER_ID.fullmatch(instruction.payer)
            content["buyer_id" if is_user_id else "buyer_open_id"] = instruction.payer
        elif instruction.scene is Scene.CUSTOMER_SCANS:
            method, client = codes.PRECREATE, "qr_code"
            content["product_code"] = "QR_CODE_OFFLINE"
        else:
            raise SceneNotSupported(f"alipay does not offer {instruction.scene}")
        try:
            answer = self._ask(method, content, now=now, notify_url=instruction.notify_url)
        except wire.AnswerUnverifiable as silence:
            return Started(outcome=Outcome.UNKNOWN, reason=str(silence))
        handed = answer.text(client)
        about = answer.text("out_trade_no") == instruction.number
        if answer.code != codes.DONE or not handed or not about:
            outcome = codes.refusal(method, code=answer.code, sub_code=answer.sub_code)
            return Started(outcome=outcome, reason=answer.reason)
        return Started(
            outcome=Outcome.PENDING,
            provider_number=answer.text("trade_no") or None,
            client={client: handed},
        )

    def query(self, reference: PaymentReference | RefundReference, *, now: datetime) -> Report:
        """Ask what became of a payment or of one refund of it."""
        if isinstance(reference, PaymentReference):
            content: dict[str, object] = {"out_trade_no": reference.number}
            answer = self._heard(codes.QUERY, reference, content, now=now)
            return answer if isinstance(answer, Report) else reports.of_payment(reference, answer)
        content = {
            "out_trade_no": reference.number,
            "out_request_no": reference.refund_number,
            "query_options": ["gmt_refund_pay"],
        }
        answer = self._heard(codes.REFUND_QUERY, reference, content, now=now)
        return answer if isinstance(answer, Report) else reports.of_refund(reference, answer)

    def close(self, reference: PaymentReference, *, now: datetime) -> Report:
        """Close an unpaid payment."""
        content = {"out_trade_no": reference.number}
        answer = self._heard(codes.CLOSE, reference, content, now=now)
        if isinstance(answer, Report):
            return answer
        return reports.bare(Outcome.CLOSED, reference, answer.reason)

    def refund(self, instruction: RefundInstruction, *, now: datetime) -> Report:
        """Ask for a refund; the answer may leave open whether it was done."""
        number, refund_number = instruction.number, instruction.refund_number
        reference = RefundReference(number=number, refund_number=refund_number)
        content = {
            "out_trade_no": number,
            "out_request_no": refund_number,
            "refund_amount": format_yuan(instruction.amount_minor),
            "refund_reason": instruction.reason[:LONGEST_REASON],
        }
        answer = self._heard(codes.REFUND, reference, content, now=now)
        return answer if isinstance(answer, Report) else reports.of_asked_refund(reference, answer)

    def read_notice(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Notice:
        """Verify and parse a callback. Its key is this account's, whatever the body says."""
        del headers, now  # Alipay signs no header and sets no time window.
        return reports.of_notice(self.credentials.alipay, body)

    def _heard(
        self,
        method: str,
        reference: reports.Reference,
        content: Mapping[str, object],
        *,
        now: datetime,
    ) -> wire.Answer | Report:
        """Return the answer of a method that was carried out, or the report of one that was not."""
        try:
            answer = self._ask(method, content, now=now)
        except wire.AnswerUnverifiable as silence:
            return reports.bare(Outcome.UNKNOWN, reference, str(silence))
        if answer.code != codes.DONE:
            outcome = codes.refusal(method, code=answer.code, sub_code=answer.sub_code)
            return reports.bare(outcome, reference, answer.reason)
        about = answer.text("out_trade_no")
        finds_nothing = method == codes.REFUND_QUERY and not answer.text("refund_status")
        if about != reference.number and not (finds_nothing and not about):
            return reports.bare(Outcome.UNKNOWN, reference, "an answer about another payment")
        return answer

    def _ask(
        self, method: str, content: Mapping[str, object], *, now: datetime, notify_url: str = ""
    ) -> wire.Answer:
        """Send a request once. Raises AnswerUnverifiable, also when nobody answered."""
        parameters = wire.signed_parameters(
            self.credentials, method, content, now=now, notify_url=notify_url
        )
        query, body = wire.query_and_body(parameters)
        try:
            answer = self.http.request(
                "POST", f"{self.gateway}?{query}", headers={"Content-Type": FORM}, body=body
            )
        except HttpFailure as failure:
            raise wire.AnswerUnverifiable(f"no answer: {failure.detail}") from None
        if answer.status != HTTPStatus.OK:
            raise wire.AnswerUnverifiable(f"HTTP status {answer.status}")
        return wire.read_answer(self.credentials.alipay, method, answer.body)


def open_account(account: AccountFile, *, http: HttpClient) -> Alipay:
    """Load an account and its keys. Raises AccountInvalid.

    The three certificates, when given, mean certificate mode; else alipay_public_key is needed.
    """
    account.refuse_unknown(*keys.VALUES)
    gateway = account.text("gateway")
    if not gateway.startswith("https://") and not account.development:
        raise AccountInvalid(f"{account.path.name}: set gateway to an https address.")
    return Alipay(
        account_id=account.account_id,
        seller_id=account.text("seller_id"),
        gateway=gateway,
        credentials=keys.load_credentials(account),
        http=http,
    )
