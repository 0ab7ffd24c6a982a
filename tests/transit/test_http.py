"""Transit as phones and kiosks meet it: routes, permissions, answers in two languages."""

from typing import Any

import pytest
from flask import Request
from flask.testing import FlaskClient

from services.host.access import Principal
from services.host.manifest import Plugin, Title
from services.host.platform import Platform
from services.transit.plugin import plugin
from tests.host.umbrellas import app_over
from tests.support.paying import CITIZEN, METRO
from tests.transit.riding import KIOSK, TransitCity

TICKETS = "/v1/transit/tickets"
COLLECTIONS = "/v1/transit/devices/collections"
AS_CITIZEN = {"Authorization": f"Bearer {CITIZEN}"}
AS_KIOSK = {"Signature-Input": KIOSK}


def citizen(request: Request, _platform: Platform) -> Principal:
    return Principal(kind="citizen", id=request.headers["Authorization"].removeprefix("Bearer "))


def device(request: Request, _platform: Platform) -> Principal:
    return Principal(
        kind="device",
        id=request.headers["Signature-Input"],
        book_id=METRO,
        roles=frozenset({request.headers.get("Signature-Role", "kiosk")}),
    )


DOORMAN = Plugin(
    name="doorman",
    title=Title(zh="门卫", en="Doorman"),
    authenticators={"bearer": citizen, "signature": device},
)


@pytest.fixture
def client(city: TransitCity) -> FlaskClient:
    client: FlaskClient = app_over(city.database, city.clock, plugin, DOORMAN).test_client()
    return client


def buy(client: FlaskClient, key: str = "a", **wanted: Any) -> Any:
    return client.post(
        TICKETS,
        json={"from": "5", "to": "16", **wanted},
        headers={**AS_CITIZEN, "Idempotency-Key": key},
    )


def collect(client: FlaskClient, code: str | None, key: str = "c") -> Any:
    return client.post(
        COLLECTIONS, json={"pick_up_code": code}, headers={**AS_KIOSK, "Idempotency-Key": key}
    )


def test_anybody_sees_stations_and_fares(client: FlaskClient) -> None:
    network = client.get("/v1/transit/stations").get_json()
    assert len(network["stations"]) == 81
    assert network["stations"][5] == {
        "station_id": "5",
        "name_zh": "近江",
        "name_en": "Jinjiang",
        "lines": ["1", "4"],
        "latitude": 30.230794,
        "longitude": 120.19785,
    }
    fare = client.get("/v1/transit/fares?from=5&to=16").get_json()
    assert (fare["from"], fare["to"], fare["fare_minor"], fare["distance_m"]) == (
        "5",
        "16",
        400,
        9_650,
    )
    assert [said["en"] for said in fare["explanation"]["sentences"]] == [
        "The shortest path is 8.792 km, station to station as the crow flies",
        "Track is longer than that: times 10976/10000 makes 9.65 km",
        "Above 0 km, 1 started × 4 km: 2.00 yuan",
        "Above 4 km, 2 started × 4 km: 2.00 yuan",
        "The fare is 4.00 yuan",
    ]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("from=5&to=5", 400, "transit-same-station"),
        ("from=10&to=51", 400, "transit-same-station"),
        ("from=5&to=99", 404, "transit-station-unknown"),
        ("from=5", 422, "validation-failed"),
        ("from=5&to=" + "9" * 33, 422, "validation-failed"),
    ],
)
def test_a_fare_that_cannot_be_is_refused(
    client: FlaskClient, query: str, status: int, code: str
) -> None:
    answer = client.get(f"/v1/transit/fares?{query}")
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_errors_speak_the_callers_language(client: FlaskClient) -> None:
    for language, title in (("zh-CN", "没有这个车站"), ("en", "There is no such station")):
        answer = client.get("/v1/transit/fares?from=5&to=99", headers={"Accept-Language": language})
        assert answer.get_json()["title"] == title


def test_a_ticket_from_the_phone_to_the_kiosk(client: FlaskClient, city: TransitCity) -> None:
    bought = buy(client, count=2)
    assert bought.status_code == 201
    ticket = bought.get_json()
    assert (ticket["state"], ticket["amount_minor"], ticket["pick_up_code"]) == (
        "ordered",
        800,
        None,
    )
    city.pay_order(ticket["order_id"])
    paid = client.get(f"{TICKETS}/{ticket['id']}", headers=AS_CITIZEN).get_json()
    assert paid["state"] == "paid"
    assert len(paid["pick_up_code"]) == 14
    assert paid["pick_up_qr"].startswith("data:image/png;base64,")
    collected = collect(client, paid["pick_up_code"])
    assert collected.status_code == 201
    assert collected.get_json() == {
        "from": "5",
        "to": "16",
        "ticket_id": ticket["id"],
        "count": 2,
        "fare_minor": 400,
        "currency": "CNY",
        "collected_at": "2026-11-23T02:00:00+00:00",
    }
    lost_and_sent_again = collect(client, paid["pick_up_code"])
    assert lost_and_sent_again.data == collected.data
    assert lost_and_sent_again.headers["Idempotent-Replayed"] == "true"
    other_kiosk = collect(client, paid["pick_up_code"], key="d")
    assert (other_kiosk.status_code, other_kiosk.get_json()["code"]) == (
        409,
        "transit-ticket-not-collectable",
    )
    refused = client.post(
        f"{TICKETS}/{ticket['id']}/refund", headers={**AS_CITIZEN, "Idempotency-Key": "r"}
    )
    assert (refused.status_code, refused.get_json()["code"]) == (
        409,
        "transit-ticket-not-refundable",
    )


def test_the_same_key_buys_once(client: FlaskClient) -> None:
    first, second = buy(client), buy(client)
    assert first.data == second.data
    assert buy(client, count=2).status_code == 422
    mine = client.get(TICKETS, headers=AS_CITIZEN).get_json()
    assert [ticket["id"] for ticket in mine["items"]] == [first.get_json()["id"]]


def test_tickets_come_page_by_page_newest_first(client: FlaskClient) -> None:
    bought = [buy(client, key=str(number)).get_json()["id"] for number in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"{TICKETS}?limit=2{cursor}", headers=AS_CITIZEN).get_json()
        seen += [ticket["id"] for ticket in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == sorted(bought, reverse=True)


def test_a_ticket_is_given_back(client: FlaskClient, city: TransitCity) -> None:
    ticket = city.paid_ticket()
    answer = client.post(
        f"{TICKETS}/{ticket.id}/refund", headers={**AS_CITIZEN, "Idempotency-Key": "r"}
    )
    assert (answer.status_code, answer.get_json()["state"]) == (200, "refunding")


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"count": 0}, 422),
        ({"count": 51}, 422),
        ({"count": 10}, 400),
        ({"count": "2"}, 422),
        ({"from": 5}, 422),
        ({"to": "5"}, 400),
        ({"price": 1}, 422),
    ],
)
def test_what_cannot_be_bought_is_refused(
    client: FlaskClient, wanted: dict[str, Any], status: int
) -> None:
    assert buy(client, **wanted).status_code == status


@pytest.mark.parametrize("code", ["0" * 12, "zzzz-zzzz-zzzz"])
def test_a_code_of_no_ticket_collects_nothing(client: FlaskClient, code: str) -> None:
    answer = collect(client, code)
    assert (answer.status_code, answer.get_json()["code"]) == (
        404,
        "transit-pick-up-code-unknown",
    )


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", TICKETS, AS_KIOSK),
        ("GET", TICKETS, AS_KIOSK),
        ("POST", COLLECTIONS, AS_CITIZEN),
        ("POST", f"{TICKETS}/tkt_x/refund", AS_KIOSK),
        ("GET", f"{TICKETS}/tkt_x", AS_KIOSK),
    ],
)
def test_everybody_keeps_to_their_own_routes(
    client: FlaskClient, method: str, path: str, headers: dict[str, str]
) -> None:
    """Invariant 11."""
    answer = client.open(path, method=method, headers={**headers, "Idempotency-Key": "x"})
    assert answer.status_code == 403
    assert client.open(path, method=method).status_code == 401


def test_somebody_elses_ticket_is_not_found(client: FlaskClient) -> None:
    """Invariant 11; seen to fail when the citizen was left out of the query."""
    ticket_id = buy(client).get_json()["id"]
    stranger = {"Authorization": "Bearer cit_2"}
    assert client.get(f"{TICKETS}/{ticket_id}", headers=stranger).status_code == 404
    refund = client.post(
        f"{TICKETS}/{ticket_id}/refund", headers={**stranger, "Idempotency-Key": "r"}
    )
    assert refund.status_code == 404
    assert client.get(TICKETS, headers=stranger).get_json()["items"] == []


def test_every_fare_is_recomputed_by_the_command(city: TransitCity) -> None:
    city.buy()
    app = app_over(city.database, city.clock, plugin, DOORMAN)
    done = app.test_cli_runner().invoke(args=["transit", "recompute"])
    assert (done.exit_code, done.output) == (0, "1 tickets recomputed, 0 differ\n")


def test_the_command_finds_a_charge_that_its_steps_do_not_explain(city: TransitCity) -> None:
    """Invariant 14."""
    ticket = city.buy()
    with city.database.transaction() as session:
        session.merge(ticket).explanation = {
            **ticket.explanation,
            "inputs": {**ticket.explanation["inputs"], "to": "75"},
        }
    app = app_over(city.database, city.clock, plugin, DOORMAN)
    done = app.test_cli_runner().invoke(args=["transit", "recompute"])
    assert done.exit_code == 1
    assert ticket.id in done.output


def test_only_a_kiosk_hands_out_tickets(client: FlaskClient) -> None:
    answer = client.post(
        COLLECTIONS,
        json={"pick_up_code": "0" * 12},
        headers={**AS_KIOSK, "Signature-Role": "gate", "Idempotency-Key": "c"},
    )
    assert (answer.status_code, answer.get_json()["code"]) == (403, "role-missing")
