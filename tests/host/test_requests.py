"""What happens to a request before and around its view."""

import json
import re
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from tests.host.umbrellas import CALLS, app_over

CITIZEN = {"Authorization": "Bearer citizen.cit_1"}
MECHANIC = {"Authorization": "Bearer staff.stf_1.mechanic"}
LOANS = "/v1/umbrellas/loans"


@pytest.fixture
def client(database: Database, clock: FixedClock) -> FlaskClient:
    CALLS.clear()
    client: FlaskClient = app_over(database, clock).test_client()
    return client


def key(value: str = "key-1") -> dict[str, str]:
    return {"Idempotency-Key": value}


def test_who_carries_nothing_is_asked_to_sign_in(client: FlaskClient) -> None:
    answer = client.post(LOANS, json={"stand": "a"}, headers=key())
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json is not None
    assert answer.json["code"] == "unauthenticated"
    assert answer.json["detail"] == "send Authorization: Bearer with an access token"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer nobody"}, 401, "unauthenticated"),
        ({"Authorization": "Basic Y2l0aXplbg=="}, 401, "unauthenticated"),
        ({**CITIZEN, "Signature-Input": "gate-1"}, 401, "credentials-ambiguous"),
        ({"Signature-Input": "gate-1"}, 403, "forbidden"),
        (MECHANIC, 403, "forbidden"),
    ],
)
def test_only_the_declared_kinds_come_in(
    client: FlaskClient, headers: dict[str, str], status: int, code: str
) -> None:
    answer = client.post(LOANS, json={"stand": "a"}, headers={**headers, **key()})
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert not CALLS


def test_a_role_is_asked_for_where_one_is_named(client: FlaskClient) -> None:
    clerk = {"Authorization": "Bearer staff.stf_2.clerk"}
    answer = client.post("/v1/umbrellas/repairs", json={"stand": "a"}, headers={**clerk, **key()})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "role-missing")
    assert (
        client.post(
            "/v1/umbrellas/repairs", json={"stand": "a"}, headers={**MECHANIC, **key()}
        ).status_code
        == 201
    )


def test_permission_comes_before_validation(client: FlaskClient) -> None:
    assert client.post(LOANS, json={"nonsense": 1}, headers=key()).status_code == 401


def test_a_body_over_the_limit_is_refused_unread(client: FlaskClient) -> None:
    large = {"stand": "a" * (64 * 1024)}
    answer = client.post(LOANS, json=large, headers={**CITIZEN, **key()})
    assert (answer.status_code, answer.get_json()["code"]) == (413, "body-too-large")


def test_a_body_without_a_length_is_measured_while_it_is_read(client: FlaskClient) -> None:
    body = json.dumps({"stand": "a" * (64 * 1024)}).encode()
    answer = client.post(
        LOANS,
        input_stream=BytesIO(body),
        content_type="application/json",
        headers={**CITIZEN, **key()},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413


def test_a_batch_route_takes_more_by_declaration(client: FlaskClient) -> None:
    device = {"Signature-Input": "gate-1"}
    assert client.post("/v1/umbrellas/taps", data=b"x" * 100_000, headers=device).status_code == 204
    assert client.post("/v1/umbrellas/taps", data=b"x" * 140_000, headers=device).status_code == 413


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"stand": ', "json-malformed"),
        (b"\xff\xfe", "json-malformed"),
        (b'{"stand": "\\u0000"}', "json-malformed"),
        (b'{"stand": "\\ud800"}', "json-malformed"),
        (b'{"stand": NaN}', "json-malformed"),
        (b'{"stand": ' + b"9" * 5_000 + b"}", "json-malformed"),
        (b"[" * 33 + b"]" * 33, "json-too-deep"),
        (b"[" * 60_000, "json-too-deep"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "json-too-deep"),
        (b'"' + b'\\"' * 30_000, "json-malformed"),
    ],
)
def test_json_no_schema_should_meet(client: FlaskClient, body: bytes, code: str) -> None:
    answer = client.post(
        LOANS, data=body, content_type="application/json", headers={**CITIZEN, **key()}
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, code)


def test_brackets_in_texts_do_not_count_as_depth(client: FlaskClient) -> None:
    answer = client.post(
        LOANS, json={"stand": "[{" * 10, "sizes": [{"ribs": 8}] * 50}, headers={**CITIZEN, **key()}
    )
    assert answer.status_code == 201


def test_a_view_that_reads_its_body_itself_is_protected_too(client: FlaskClient) -> None:
    """Seen to fail when only bodies that call themselves JSON are looked at."""
    answer = client.post(
        "/v1/umbrellas/taps",
        data=b" \n" + b"[" * 5_000,
        content_type="text/plain",
        headers={"Signature-Input": "gate-1"},
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "json-too-deep")


def test_another_type_of_body_is_refused(client: FlaskClient) -> None:
    answer = client.post(LOANS, data={"stand": "a"}, headers={**CITIZEN, **key()})
    assert (answer.status_code, answer.get_json()["code"]) == (415, "media-type-unsupported")


def test_fields_are_pointed_at(client: FlaskClient) -> None:
    body = {"stand": "", "sizes": [{"ribs": 8}, {"ribs": "eight"}], "a/b~c": 1}
    answer = client.post(LOANS, json=body, headers={**CITIZEN, **key(), "Accept-Language": "en"})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert problem["code"] == "validation-failed"
    assert sorted((one["pointer"], one["in"], one["code"]) for one in problem["errors"]) == [
        ("#/a~1b~0c", "body", "unknown-field"),
        ("#/sizes/1/ribs", "body", "not-an-integer"),
        ("#/stand", "body", "length"),
    ]


def test_a_query_is_pointed_at_too_and_in_chinese(client: FlaskClient) -> None:
    problem = client.get("/v1/umbrellas/stands?limit=1000").get_json()
    assert problem["title"] == "字段校验失败"
    assert problem["errors"] == [
        {
            "in": "query",
            "pointer": "#/limit",
            "code": "out-of-range",
            "detail": "应在 1 与 100 之间",
        }
    ]


@pytest.mark.parametrize(
    ("language", "title", "given"),
    [
        ("zh-CN,zh;q=0.9", "请先登录", "zh-CN"),
        ("en-GB", "Sign in first", "en"),
        ("fr, en;q=0.5", "Sign in first", "en"),
        ("fr", "请先登录", "zh-CN"),
        ("", "请先登录", "zh-CN"),
    ],
)
def test_titles_follow_the_language(
    client: FlaskClient, language: str, title: str, given: str
) -> None:
    answer = client.get(f"{LOANS}/1", headers={"Accept-Language": language})
    assert answer.get_json()["title"] == title
    assert answer.headers["Content-Language"] == given
    assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nowhere", 404, "route-not-found"),
        ("DELETE", LOANS, 405, "method-not-allowed"),
        ("OPTIONS", LOANS, 405, "method-not-allowed"),
        ("GET", "//v1/catalogue", 404, "route-not-found"),
        ("GET", "/v1/catalogue/", 404, "route-not-found"),
    ],
)
def test_http_errors_have_the_same_shape(
    client: FlaskClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"
    if status == 405:
        assert answer.headers["Allow"] == "POST"


def test_an_unexpected_error_tells_nothing(client: FlaskClient, capsys: Any) -> None:
    answer = client.post(LOANS, json={"stand": "broken"}, headers={**CITIZEN, **key()})
    assert answer.status_code == 500
    problem = answer.get_json()
    assert set(problem) == {"type", "title", "status", "code", "instance", "request_id"}
    logged = capsys.readouterr().err
    assert problem["request_id"] in logged
    assert "ZeroDivisionError" in logged
    assert "13812345678" not in logged


def test_a_request_id_is_kept_when_well_formed_and_made_when_not(client: FlaskClient) -> None:
    given = "front-end.0001"
    assert (
        client.get("/health/live", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given
    )
    for bad in ("short", "x" * 65, "with space in it", "quote\"'<script>", "-starts-with-dash"):
        made = client.get("/health/live", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert re.fullmatch(r"req_[0-9A-Z]{26}", made)


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/v1/catalogue", "/v1/nowhere", f"{LOANS}/1", "/health/live"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["X-Frame-Options"] == "DENY"
        assert "Set-Cookie" not in headers
        assert "Access-Control-Allow-Origin" not in headers
    assert client.get("/health/live").headers["Cache-Control"] == "no-store"


def test_one_line_a_request_even_when_it_fails(client: FlaskClient, capsys: Any) -> None:
    for path, headers in (
        ("/v1/catalogue", {}),
        (f"{LOANS}/1", CITIZEN),
        ("/v1/nowhere/13912345678", {}),
    ):
        client.get(path, headers=headers, buffered=True)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [(one["route"], one["status"]) for one in requests] == [
        ("/v1/catalogue", 200),
        ("/v1/umbrellas/loans/<loan_id>", 200),
        ("", 404),
    ]
    assert requests[1]["principal"] == "citizen:cit_1"
    assert requests[2]["problem"] == "route-not-found"
    assert requests[2]["path"] == "/v1/nowhere/[redacted]"
    assert all(one["milliseconds"] >= 0 and one["request_id"] for one in requests)


def test_a_response_shows_declared_fields_only(client: FlaskClient) -> None:
    assert client.get(f"{LOANS}/7", headers=CITIZEN).get_json() == {
        "stand": "7",
        "borrower": "cit_1",
    }


def test_who_calls_is_believed_from_our_own_proxies_only(clock: FixedClock, capsys: Any) -> None:
    headers = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7", "X-Forwarded-Host": "evil.example"}
    for proxies, remote in ((0, "127.0.0.1"), (1, "192.0.2.7")):
        app = app_over(None, clock, trusted_proxies=proxies)
        app.test_client().get("/health/live", headers=headers, buffered=True)
        assert json.loads(capsys.readouterr().err.splitlines()[-1])["remote"] == remote


def test_a_nul_in_the_path_is_the_callers_mistake(client: FlaskClient) -> None:
    assert client.get(f"{LOANS}/%00", headers=CITIZEN).status_code in {200, 400}
