"""WeChat: `jscode2session`, a GET whose query holds the app's secret.

The session key it answers is for decrypting what a mini program sends; we need none of that and
forget it. Errors come with HTTP status 200 and an `errcode`. Source: WeChat's mini program
documentation, code2Session.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from pydantic import Secret

from payments.kernel.http import HttpClient, HttpFailure
from payments.providers.accounts import AccountFile, AccountInvalid
from services.identity.authorities.interface import AuthoritySilent
from services.identity.rules.subjects import LONGEST_SUBJECT, CodeRefused, SignInProvider, Subject

PATH: Final = "/sns/jscode2session"
# 40029 wrong code, 40163 used before, 41008 no code, 40226 a blocked user.
REFUSALS: Final = frozenset({40029, 40163, 41008, 40226})


@dataclass(frozen=True, kw_only=True)
class WechatAuthority:
    """One mini program of ours."""

    app_id: str
    secret: Secret[str]
    gateway: str
    http: HttpClient
    provider: SignInProvider = SignInProvider.WECHAT

    def identify(self, code: str, *, now: datetime) -> Subject:
        """Ask whose the code is: the open id, which is the person within this app."""
        del now  # Nothing is signed, so nothing is dated.
        query = urlencode(
            {
                "appid": self.app_id,
                "secret": self.secret.get_secret_value(),
                "js_code": code,
                "grant_type": "authorization_code",
            }
        )
        try:
            answer = self.http.request("GET", f"{self.gateway}{PATH}?{query}")
        except HttpFailure as failure:
            raise AuthoritySilent(f"wechat: {failure.detail}") from None
        if answer.status != HTTPStatus.OK:
            raise AuthoritySilent(f"wechat answered HTTP status {answer.status}")
        return Subject(provider=self.provider, app_id=self.app_id, subject=_open_id(answer.body))


def open_wechat(account: AccountFile, *, http: HttpClient) -> WechatAuthority:
    """Load a mini program's file and secret. Raises AccountInvalid."""
    account.refuse_unknown("app_secret")
    gateway = account.text("gateway")
    if not gateway.startswith("https://") and not account.development:
        raise AccountInvalid(f"{account.path.name}: set gateway to an https address.")
    secret = account.file("app_secret").decode("ascii", "replace").strip()
    return WechatAuthority(
        app_id=account.text("app_id"), secret=Secret(secret), gateway=gateway, http=http
    )


def _open_id(body: bytes) -> str:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise AuthoritySilent("wechat answered no JSON") from None
    if not isinstance(said, dict):
        raise AuthoritySilent("wechat answered no JSON object")
    errcode = said.get("errcode", 0)
    if isinstance(errcode, int) and errcode in REFUSALS:
        raise CodeRefused
    open_id = said.get("openid")
    if errcode or not isinstance(open_id, str) or not 1 <= len(open_id) <= LONGEST_SUBJECT:
        raise AuthoritySilent(f"wechat answered errcode {errcode!s:.20}")
    return open_id
