"""Sign-in over the wire: the platform, over HTTP, against the simulated Alipay and WeChat."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from pydantic import Secret

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.http import HttpAnswer, HttpClient, HttpFailure
from payments.providers.accounts import AccountInvalid
from payments.providers.registry import Providers
from services.identity.authorities.alipay import AlipayAuthority
from services.identity.authorities.interface import AuthoritySilent, AuthorityUnknown
from services.identity.authorities.registry import authorities_of
from services.identity.authorities.wechat import WechatAuthority
from services.identity.rules.subjects import CodeRefused, SignInProvider
from simulator.clock import ManualClock
from simulator.providers.alipay.faults import Fault, FaultName
from simulator.runner import Simulator
from tests.alipay.accounts import vector_account
from tests.identity.desk import Desk, Person, refused, said

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PERSON = "2088000000000009"


@dataclass
class Street:
    """The platform with both providers across the street."""

    desk: Desk
    simulator: Simulator
    clock: ManualClock

    def agree(self, provider: str, **given: str) -> Any:
        """Play the citizen who agrees in the provider's app; return what the app is handed."""
        asked = Request(  # noqa: S310  loopback
            f"{self.simulator.url}/control/{provider}/codes",
            data=json.dumps(given).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urlopen(asked, timeout=10) as answer:  # noqa: S310  loopback
            return json.load(answer)

    def alipay_code(self, buyer_id: str = PERSON) -> str:
        code: str = self.agree("alipay", buyer_id=buyer_id)["auth_code"]
        return code

    def sign_in(self, provider: str, code: str, **more: str) -> Any:
        return self.desk.ask("POST", "/sessions", {"provider": provider, "code": code, **more})


@pytest.fixture(scope="session")
def key_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def street(database: Database, clock: FixedClock, key_set: Path) -> Iterator[Street]:
    there = ManualClock(NOW)
    with Simulator(keys=key_set, clock=there, send_notices=False) as simulator:
        http = HttpClient()
        providers = Providers.load(key_set, http=http, production=False)
        desk = Desk(database, clock, providers=providers, http=http, providers_directory=key_set)
        yield Street(desk, simulator, there)
        http.close()


def test_a_citizen_signs_in_with_alipay_and_again(street: Street) -> None:
    first = said(street.sign_in("alipay", street.alipay_code()), 201)
    again = said(street.sign_in("alipay", street.alipay_code()), 201)
    other = said(street.sign_in("alipay", street.agree("alipay")["auth_code"]), 201)
    assert first["owner_id"] == again["owner_id"] != other["owner_id"]
    someone = Person(street.desk, first["owner_id"], "", first["access_token"], "")
    identities = said(someone.ask("GET", "/external-identities"), 200)["external_identities"]
    assert [(each["provider"], each["subject"]) for each in identities] == [("alipay", PERSON)]


def test_a_citizen_signs_in_with_wechat_and_links_alipay(street: Street) -> None:
    agreed = street.agree("wechat", person="lin")
    grant = said(street.sign_in("wechat", agreed["js_code"]), 201)
    someone = Person(street.desk, grant["owner_id"], "", grant["access_token"], "")
    code = street.alipay_code()
    link = {"provider": "alipay", "code": code}
    said(someone.ask("POST", "/external-identities", link), 204)
    identities = said(someone.ask("GET", "/external-identities"), 200)["external_identities"]
    assert {each["subject"] for each in identities} == {agreed["openid"], PERSON}
    code = street.alipay_code()
    assert said(street.sign_in("alipay", code), 201)["owner_id"] == grant["owner_id"]


@pytest.mark.parametrize(("provider", "named"), [("alipay", "auth_code"), ("wechat", "js_code")])
def test_codes_used_old_made_up_or_of_another_provider_are_refused(
    street: Street, provider: str, named: str
) -> None:
    code = street.agree(provider)[named]
    said(street.sign_in(provider, code), 201)
    refused(street.sign_in(provider, code), 401, "code-refused")
    refused(street.sign_in(provider, "made-up"), 401, "code-refused")
    old = street.agree(provider)[named]
    street.clock.advance(timedelta(days=1))
    street.desk.clock.advance(timedelta(days=1))
    refused(street.sign_in(provider, old), 401, "code-refused")
    other = "wechat" if provider == "alipay" else "alipay"
    refused(street.sign_in(other, street.agree(provider)[named]), 401, "code-refused")


def test_the_provider_refuses_a_used_code_by_itself(street: Street) -> None:
    """Without our own memory of codes: whoever exchanged it elsewhere cannot use it here."""
    platform = street.desk.platform
    for provider, named in (
        (SignInProvider.ALIPAY, "auth_code"),
        (SignInProvider.WECHAT, "js_code"),
    ):
        authority = authorities_of(
            platform.providers,
            directory=platform.settings.accounts_directory,
            http=platform.http,
            production=False,
        ).choose(provider=provider, app_id=None)
        code = street.agree(provider)[named]
        authority.identify(code, now=NOW)
        with pytest.raises(CodeRefused):
            authority.identify(code, now=NOW)


def test_an_app_we_do_not_have_is_not_offered(street: Street) -> None:
    answer = street.sign_in("alipay", "x", app_id="2021000000000009")
    refused(answer, 400, "sign-in-not-offered")


@pytest.mark.parametrize("fault", ["bad_answer_signature", "lost_answer", "system_error"])
def test_an_answer_that_cannot_be_believed_signs_nobody_in(street: Street, fault: str) -> None:
    """Seen to fail with the answer's signature not verified."""
    street.simulator.world.alipay.faults.ask(Fault(name=FaultName(fault)))
    answer = street.sign_in("alipay", street.agree("alipay")["auth_code"])
    refused(answer, 503, "authority-silent")
    assert PERSON not in answer.get_data(as_text=True)


class Answering(HttpClient):
    """A peer that answers whatever it is told to."""

    def __init__(self, *answers: bytes | HttpFailure, status: int = 200) -> None:
        super().__init__()
        self.answers, self.status, self.asked = list(answers), status, list[str]()

    def request(self, method: str, url: str, **_: Any) -> HttpAnswer:
        self.asked.append(f"{method} {url}")
        answer = self.answers.pop(0)
        if isinstance(answer, HttpFailure):
            raise answer
        return HttpAnswer(status=self.status, headers={}, body=answer)


def wechat(http: HttpClient) -> WechatAuthority:
    return WechatAuthority(
        app_id="wx1", secret=Secret("very secret"), gateway="http://127.0.0.1:1", http=http
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"[" * 5000,
        b"\xff",
        b"{}",
        b'{"errcode":-1,"errmsg":"system error"}',
        b'{"errcode":45011}',
        b'{"errcode":"40029"}',
        b'{"errcode":[]}',
        b'{"openid":""}',
        b'{"openid":1}',
        b'{"openid":"' + b"x" * 129 + b'"}',
        b'{"errcode":1,"openid":"oOpenId"}',
    ],
)
def test_what_wechat_says_otherwise_is_silence(body: bytes) -> None:
    with pytest.raises(AuthoritySilent):
        wechat(Answering(body)).identify("code", now=NOW)


def test_wechats_silence_tells_nothing_of_the_secret() -> None:
    for http in (
        Answering(HttpFailure("connection refused", sent=False)),
        Answering(b"{}", status=502),
    ):
        with pytest.raises(AuthoritySilent) as silence:
            wechat(http).identify("a-code", now=NOW)
        assert "very secret" not in str(silence.value) + repr(wechat(http))
        assert "a-code" not in str(silence.value)


def test_a_code_cannot_add_to_wechats_query() -> None:
    http = Answering(b'{"openid":"oOpenId"}')
    wechat(http).identify("x&appid=wx2&secret=", now=NOW)
    assert "&js_code=x%26appid%3Dwx2%26secret%3D&grant_type=authorization_code" in http.asked[0]


@pytest.mark.parametrize("status", [200, 500])
def test_an_unsigned_answer_of_alipay_is_silence(status: int) -> None:
    body = b'{"alipay_system_oauth_token_response":{"user_id":"2088000000000001"}}'
    account = vector_account()
    answering = type(account)(**{**vars(account), "http": Answering(body, status=status)})
    with pytest.raises(AuthoritySilent):
        AlipayAuthority(answering).identify("code", now=NOW)


def test_development_apps_are_refused_in_production(street: Street) -> None:
    platform = street.desk.platform
    with pytest.raises(AccountInvalid, match="development keys"):
        authorities_of(
            [],
            directory=platform.settings.accounts_directory,
            http=platform.http,
            production=True,
        )
    with pytest.raises(AuthorityUnknown):
        authorities_of([], directory=Path("nowhere"), http=platform.http, production=True).choose(
            provider=SignInProvider.WECHAT, app_id=None
        )
