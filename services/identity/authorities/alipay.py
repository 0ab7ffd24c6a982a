"""Alipay: `alipay.system.oauth.token` on the signed gateway.

Its parameters stand beside `biz_content`, its answer has no `code` when it went well, and a refusal
comes as `error_response`. Source: Alipay's open documentation of the method.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from payments.kernel.http import HttpFailure
from payments.providers.alipay import wire
from payments.providers.alipay.adapter import FORM, Alipay
from services.identity.authorities.interface import AuthoritySilent
from services.identity.rules.subjects import (
    LONGEST_SUBJECT,
    CodeRefused,
    SignInProvider,
    Subject,
)

METHOD: Final = "alipay.system.oauth.token"
REFUSALS: Final = frozenset({"isv.code-invalid", "isv.unmatched-app-id"})


class AlipayAuthority:
    """The sign-in side of an account we hold at Alipay."""

    provider: Final = SignInProvider.ALIPAY

    def __init__(self, account: Alipay) -> None:
        self._account = account

    @property
    def app_id(self) -> str:
        """The application, which is also the one that is paid."""
        return self._account.app_id

    def identify(self, code: str, *, now: datetime) -> Subject:
        """Ask whose the code is: the user id, or the open id that newer apps get instead."""
        answer = self._ask({"grant_type": "authorization_code", "code": code}, now=now)
        if answer.code and answer.sub_code in REFUSALS:
            raise CodeRefused
        subject = answer.text("user_id") or answer.text("open_id")
        if answer.code not in {"", "10000"} or not 1 <= len(subject) <= LONGEST_SUBJECT:
            raise AuthoritySilent(f"alipay answered {answer.reason}".rstrip())
        return Subject(provider=self.provider, app_id=self.app_id, subject=subject)

    def _ask(self, own: dict[str, str], *, now: datetime) -> wire.Answer:
        account = self._account
        parameters = wire.signed_parameters(account.credentials, METHOD, {}, now=now, beside=own)
        common = {name: value for name, value in parameters.items() if name not in own}
        try:
            answer = account.http.request(
                "POST",
                f"{account.gateway}?{urlencode(common)}",
                headers={"Content-Type": FORM},
                body=urlencode(own).encode("ascii"),
            )
            if answer.status != HTTPStatus.OK:
                raise AuthoritySilent(f"alipay answered HTTP status {answer.status}")
            return wire.read_answer(account.credentials.alipay, METHOD, answer.body)
        except HttpFailure as failure:
            raise AuthoritySilent(f"alipay: {failure.detail}") from None
        except wire.AnswerUnverifiable as silence:
            raise AuthoritySilent(f"alipay: {silence}") from None
