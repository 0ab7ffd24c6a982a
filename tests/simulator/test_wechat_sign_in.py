"""jscode2session at the simulated WeChat, in the shapes of the real one."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator.app import World, create_app
from simulator.clock import ManualClock
from simulator.providers.wechatpay.apps import APP_ID, mini_programs, point_wechat
from tests.simulator.merchant import MORNING


@pytest.fixture
def wechat(tmp_path: Path) -> tuple[FlaskClient, dict[str, str], ManualClock]:
    point_wechat(tmp_path, gateway="http://127.0.0.1")
    clock = ManualClock(MORNING)
    client = create_app(World.from_keys(tmp_path, clock=clock)).test_client()
    secret = mini_programs(tmp_path)[APP_ID].secret
    asked = {"appid": APP_ID, "secret": secret, "grant_type": "authorization_code"}
    return client, asked, clock


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"appid": "wx9"}, 40013),
        ({"secret": "x"}, 40125),
        ({"secret": "\u00e4"}, 40125),
        ({"grant_type": "x"}, 40002),
        ({"js_code": ""}, 41008),
        ({"js_code": "x"}, 40029),
    ],
)
def test_wechat_says_what_is_wrong_with_status_200(
    wechat: tuple[FlaskClient, dict[str, str], ManualClock],
    change: dict[str, str],
    errcode: int,
) -> None:
    client, asked, _ = wechat
    code = client.post("/control/wechat/codes", json={"person": "lin"}).get_json()
    query = {**asked, "js_code": code["js_code"], **change}
    answer = client.get("/sns/jscode2session", query_string=query)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    assert answer.get_json(force=True)["errcode"] == errcode


def test_wechat_knows_a_person_by_one_open_id_and_takes_a_code_once_within_five_minutes(
    wechat: tuple[FlaskClient, dict[str, str], ManualClock],
) -> None:
    client, asked, clock = wechat

    def agree() -> dict[str, str]:
        given: dict[str, str] = client.post(
            "/control/wechat/codes", json={"person": "lin"}
        ).get_json()
        return given

    def exchange(code: str) -> Any:
        query = {**asked, "js_code": code}
        return client.get("/sns/jscode2session", query_string=query).get_json(force=True)

    first, second = agree(), agree()
    answer = exchange(first["js_code"])
    assert set(answer) == {"session_key", "openid", "unionid"}
    assert answer["openid"] == first["openid"] == exchange(second["js_code"])["openid"]
    assert exchange(first["js_code"])["errcode"] == 40163
    old = agree()["js_code"]
    clock.advance(timedelta(minutes=5))
    assert exchange(old)["errcode"] == 40029
