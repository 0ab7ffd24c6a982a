import base64

import pytest
from flask.testing import FlaskClient

from payments.kernel.clock import FixedClock
from tests.host.umbrellas import app_over

STANDS = "/v1/umbrellas/stands"


@pytest.fixture
def client(clock: FixedClock) -> FlaskClient:
    client: FlaskClient = app_over(None, clock).test_client()
    return client


def test_pages_join_without_gap_or_repetition(client: FlaskClient) -> None:
    names: list[str] = []
    sizes = []
    cursor = ""
    while True:
        page = client.get(f"{STANDS}?{cursor}").get_json()
        names += [stand["name"] for stand in page["items"]]
        sizes.append(len(page["items"]))
        if page["next_cursor"] is None:
            break
        cursor = f"cursor={page['next_cursor']}"
    assert names == [f"stand-{number:03d}" for number in range(45)]
    assert sizes == [20, 20, 5]


def test_a_last_page_that_is_full_has_no_next(client: FlaskClient) -> None:
    page = client.get(f"{STANDS}?limit=45").get_json()
    assert len(page["items"]) == 45
    assert page["next_cursor"] is None


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1e9", "ten", "", "１０００"])
def test_a_limit_is_a_small_number(client: FlaskClient, limit: str) -> None:
    assert client.get(f"{STANDS}?limit={limit}").status_code == 422


def test_a_cursor_is_taken_as_given_out_only(client: FlaskClient) -> None:
    """Seen to fail when the comparison of the two codes is left out."""
    cursor = client.get(STANDS).get_json()["next_cursor"]
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    forged = [
        base64.urlsafe_b64encode(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        .rstrip(b"=")
        .decode()
        for place in range(len(raw))
    ]
    for bad in [*forged, "x", "!!!", "a" * 512, "%00", cursor[:-2]]:
        answer = client.get(f"{STANDS}?cursor={bad}")
        assert (answer.status_code, answer.get_json()["code"]) == (400, "cursor-invalid"), bad
    assert client.get(f"{STANDS}?cursor=").status_code == 422
    assert client.get(f"{STANDS}?cursor={'a' * 513}").status_code == 422


def test_a_cursor_holds_for_its_filters_only(client: FlaskClient) -> None:
    cursor = client.get(STANDS).get_json()["next_cursor"]
    assert client.get(f"{STANDS}?cursor={cursor}&limit=3").status_code == 200
    assert client.get(f"{STANDS}?cursor={cursor}&district=west").status_code == 400
