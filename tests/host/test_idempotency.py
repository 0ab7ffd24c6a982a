import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_smorest import Blueprint
from sqlalchemy import text

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from services.host.idempotency import idempotent
from tests.host.umbrellas import CALLS, app_over

LOANS = "/v1/umbrellas/loans"
REPAIRS = "/v1/umbrellas/repairs"
FIRST = {"Authorization": "Bearer citizen.cit_1", "Idempotency-Key": "key-1"}
SECOND = {"Authorization": "Bearer citizen.cit_2", "Idempotency-Key": "key-1"}
MECHANIC = {"Authorization": "Bearer staff.stf_1.mechanic", "Idempotency-Key": "key-1"}


@pytest.fixture
def client(database: Database, clock: FixedClock) -> FlaskClient:
    CALLS.clear()
    client: FlaskClient = app_over(database, clock).test_client()
    return client


def facts(database: Database) -> int:
    with database.read() as session:
        count = session.execute(
            text("SELECT count(*) FROM events.facts WHERE name = 'umbrella.lent'")
        ).scalar_one()
    return int(count)


@pytest.mark.parametrize("path", [LOANS, REPAIRS])
def test_an_unsafe_operation_needs_a_key(client: FlaskClient, path: str) -> None:
    for headers in (FIRST, MECHANIC):
        bare = {"Authorization": headers["Authorization"]}
        answer = client.post(path, json={"stand": "a"}, headers=bare)
        assert answer.status_code in {400, 403}
    assert not CALLS


def test_a_malformed_key_is_refused(client: FlaskClient) -> None:
    for bad in ("", "with space", "k" * 256):
        answer = client.post(LOANS, json={"stand": "a"}, headers={**FIRST, "Idempotency-Key": bad})
        assert answer.status_code == 400
    assert not CALLS


def test_a_repetition_gets_the_same_bytes(client: FlaskClient, database: Database) -> None:
    """Seen to fail when `store` is skipped: the view runs twice."""
    first = client.post(LOANS, json={"stand": "a"}, headers=FIRST)
    again = client.post(LOANS, json={"stand": "a"}, headers=FIRST)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert first.content_type == again.content_type
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["X-Request-Id"] != again.headers["X-Request-Id"]
    assert CALLS == ["a"]
    assert facts(database) == 1


def test_the_quoted_form_is_the_same_key(client: FlaskClient) -> None:
    client.post(LOANS, json={"stand": "a"}, headers=FIRST)
    quoted = {**FIRST, "Idempotency-Key": '"key-1"'}
    assert client.post(LOANS, json={"stand": "a"}, headers=quoted).headers["Idempotent-Replayed"]


def test_another_body_under_the_same_key_is_refused(client: FlaskClient) -> None:
    client.post(LOANS, json={"stand": "a"}, headers=FIRST)
    answer = client.post(LOANS, json={"stand": "b"}, headers=FIRST)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency-key-reused")
    assert CALLS == ["a"]


def test_keys_of_two_callers_do_not_meet(client: FlaskClient) -> None:
    """Seen to fail when the scope leaves out the principal: the second sees the first's answer."""
    client.post(LOANS, json={"stand": "a"}, headers=FIRST)
    answer = client.post(LOANS, json={"stand": "a"}, headers=SECOND)
    assert answer.get_json()["borrower"] == "cit_2"
    assert "Idempotent-Replayed" not in answer.headers


def test_a_definite_failure_undoes_its_effect_and_is_kept(
    client: FlaskClient, database: Database
) -> None:
    """Seen to fail when the savepoint around the view is left out: one fact remains."""
    first = client.post(LOANS, json={"stand": "empty"}, headers=FIRST)
    again = client.post(LOANS, json={"stand": "empty"}, headers=FIRST)
    assert (first.status_code, again.status_code) == (409, 409)
    assert first.data == again.data
    assert again.content_type == "application/problem+json"
    assert CALLS == ["empty"]
    assert facts(database) == 0


@pytest.mark.parametrize(("stand", "status"), [("busy", 503), ("broken", 500)])
def test_what_decided_nothing_is_not_kept(
    client: FlaskClient, database: Database, stand: str, status: int
) -> None:
    for _ in range(2):
        answer = client.post(LOANS, json={"stand": stand}, headers=FIRST)
        assert answer.status_code == status
        assert "Idempotent-Replayed" not in answer.headers
    assert [stand, stand] == CALLS
    assert facts(database) == 0


def test_wrong_input_uses_up_no_key(client: FlaskClient) -> None:
    assert client.post(LOANS, json={"stand": ""}, headers=FIRST).status_code == 422
    assert client.post(LOANS, json={"stand": "a"}, headers=FIRST).status_code == 201


def test_a_flow_is_given_the_same_request_key_and_nobody_elses(client: FlaskClient) -> None:
    for headers in (MECHANIC, {**MECHANIC, "Authorization": "Bearer staff.stf_2.mechanic"}):
        assert client.post(REPAIRS, json={"stand": "busy"}, headers=headers).status_code == 503
        assert client.post(REPAIRS, json={"stand": "busy"}, headers=headers).status_code == 503
    first, again, other, other_again = CALLS
    assert first == again
    assert other == other_again
    assert first != other
    assert len(first) == 64


def test_a_flow_answers_once_and_keeps_definite_failures(client: FlaskClient) -> None:
    for stand, status in (("a", 201), ("empty", 409)):
        headers = {**MECHANIC, "Idempotency-Key": f"key-{stand}"}
        first = client.post(REPAIRS, json={"stand": stand}, headers=headers)
        again = client.post(REPAIRS, json={"stand": stand}, headers=headers)
        assert (first.status_code, again.status_code) == (status, status)
        assert first.data == again.data
        assert again.headers["Idempotent-Replayed"] == "true"
    assert len(CALLS) == 2


def test_a_flow_that_was_killed_goes_on_when_its_lease_ends(
    fresh_database: Database, clock: FixedClock
) -> None:
    """Seen to fail when the claim is not committed before the view: the second runs at once."""
    CALLS.clear()
    client = app_over(fresh_database, clock).test_client()
    with pytest.raises(KeyboardInterrupt):
        client.post(REPAIRS, json={"stand": "killed"}, headers=MECHANIC)
    answer = client.post(REPAIRS, json={"stand": "killed"}, headers=MECHANIC)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "request-still-running")
    clock.advance(timedelta(seconds=61))
    assert client.post(REPAIRS, json={"stand": "killed"}, headers=MECHANIC).status_code == 201
    assert len(CALLS) == 2
    assert CALLS[0] == CALLS[1]


def test_twenty_at_once_have_one_effect(fresh_database: Database, clock: FixedClock) -> None:
    """Seen to fail when the claim is a transaction of its own: several run side by side."""
    CALLS.clear()
    app = app_over(fresh_database, clock)
    together = threading.Barrier(8)

    def borrow(_: int) -> tuple[int, bytes]:
        together.wait()
        answer = app.test_client().post(LOANS, json={"stand": "a"}, headers=FIRST)
        return answer.status_code, answer.data

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(borrow, range(24)))
    assert len(answers) == 1
    assert answers.pop()[0] == 201
    assert CALLS == ["a"]
    assert facts(fresh_database) == 1


def test_the_decorator_says_where_it_stands() -> None:
    blueprint = Blueprint("wrong", __name__)
    with pytest.raises(TypeError, match=r"above @blueprint\.response"):

        @blueprint.response(200)
        @idempotent.transaction
        def view() -> None: ...
