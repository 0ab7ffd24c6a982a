"""Authorisation codes: good once, for a few minutes, in one application."""

from datetime import timedelta

import pytest

from tests.simulator.merchant import Merchant

TOKEN = "alipay.system.oauth.token"


def redeem(merchant: Merchant, code: str, grant: str = "authorization_code") -> dict[str, object]:
    return merchant.call(TOKEN, {}, grant_type=grant, code=code)


def code_of(merchant: Merchant, buyer_id: str = "2088000000000042") -> str:
    answer = merchant.control("codes", buyer_id=buyer_id)
    assert isinstance(answer, dict)
    return str(answer["auth_code"])


def test_a_code_says_who_it_is_once(merchant: Merchant) -> None:
    code = code_of(merchant)
    first = redeem(merchant, code)
    assert first["user_id"] == "2088000000000042"
    assert "code" not in first
    assert redeem(merchant, code)["sub_code"] == "isv.code-invalid"


def test_a_code_runs_out(merchant: Merchant) -> None:
    code = code_of(merchant)
    merchant.clock.advance(timedelta(minutes=5))
    assert redeem(merchant, code)["sub_code"] == "isv.code-invalid"


@pytest.mark.parametrize("code", ["x", "0" * 32])
def test_what_was_not_handed_out_is_nobody(merchant: Merchant, code: str) -> None:
    assert redeem(merchant, code)["sub_code"] == "isv.code-invalid"


def test_another_grant_is_refused(merchant: Merchant) -> None:
    code = code_of(merchant)
    assert redeem(merchant, code, grant="password")["sub_code"] == "isv.grant-type-invalid"
    assert redeem(merchant, code)["user_id"] == "2088000000000042"


def test_a_refusal_comes_as_error_response(merchant: Merchant) -> None:
    signed = merchant.parameters(TOKEN, {}, grant_type="authorization_code", code="x")
    answer = merchant.browser.post("/alipay/gateway.do", data=signed).get_json(force=True)
    assert set(answer) == {"error_response", "sign"}


def test_a_code_is_for_an_app_that_exists(merchant: Merchant) -> None:
    answer = merchant.browser.post("/control/alipay/codes", json={"app_id": "stranger"})
    assert answer.status_code == 404
