"""The merchants' own face: endpoints, deliveries, orders; theirs, and nobody else's."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from payments.kernel.ids import BookId
from payments.ledger import operations as ledger
from payments.merchants import operations
from payments.merchants.models import EndpointSecret
from payments.orders import operations as orders
from payments.webhooks.handlers import publish
from tests.merchants.conftest import Office
from tests.support.signing import Signer
from tests.webhooks.conftest import METRO, TicketSold

URL = "http://localhost:9/hook"  # Allowed by the test's settings; nothing is sent.
ENDPOINTS = "/v1/merchants/endpoints"
DELIVERIES = "/v1/merchants/deliveries"


def add_endpoint(office: Office, **given: Any) -> dict[str, Any]:
    answer = office.call("POST", ENDPOINTS, json={"url": URL, "events": ["*"], **given})
    assert answer.status_code == 201, answer.text
    added: dict[str, Any] = answer.get_json()
    return added


def sell(office: Office, *tickets: str) -> None:
    for ticket in tickets:
        with office.database.transaction() as session:
            fact = TicketSold(book_id=METRO, ticket_id=ticket, sold_at=office.clock.now())
            publish(session, fact, now=office.clock.now())
        office.clock.advance(timedelta(seconds=1))


@pytest.fixture
def stranger(office: Office) -> Signer:
    """Another merchant's key."""
    with office.database.transaction() as session:
        other = operations.register(
            session,
            name_zh="杭州公交",
            name_en="Hangzhou Bus",
            book_id=BookId("HZBUSS"),
            credit_code="91330000MA27XL0X41",
            now=office.clock.now(),
        )
        signer = Signer()
        signer.key_id = operations.add_key(
            session,
            merchant_id=other.merchant_id,
            public_key=signer.public_key,
            now=office.clock.now(),
        ).key_id
    return signer


def test_an_endpoint_is_added_and_its_secrets_are_shown_once(office: Office) -> None:
    added = add_endpoint(office, signatures=["v1a", "v1"])
    assert added["endpoint"]["status"] == "active"
    kinds = {secret["kind"]: secret["secret"] for secret in added["secrets"]}
    assert kinds["v1"].startswith("whsec_")
    assert kinds["v1a"].startswith("whpk_")
    endpoint_id = added["endpoint"]["endpoint_id"]
    for target in (ENDPOINTS, f"{ENDPOINTS}/{endpoint_id}"):
        shown = office.call("GET", target)
        assert shown.status_code == 200
        assert "whsec_" not in shown.text
        assert kinds["v1"][6:] not in shown.text
    with office.database.read() as session:
        for row in session.scalars(select(EndpointSecret)):
            assert kinds["v1"].encode() not in row.sealed


def test_a_repeated_request_gets_the_same_secret(office: Office) -> None:
    body = {"url": URL, "events": ["*"]}
    first = office.call("POST", ENDPOINTS, json=body, key="the-same-key-1")
    second = office.call("POST", ENDPOINTS, json=body, key="the-same-key-1")
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.data == second.data
    assert len(office.call("GET", ENDPOINTS).get_json()["items"]) == 1


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"url": "https://127.0.0.1/hook"}, "address-refused"),
        ({"url": "https://[::ffff:10.0.0.1]/hook"}, "address-refused"),
        ({"url": "http://8.8.8.8/hook"}, "address-refused"),
        ({"url": "https://8.8.8.8:22/hook"}, "address-refused"),
        ({"url": "https://me:pass@8.8.8.8/hook"}, "address-refused"),
        ({"url": "https://169.254.169.254/latest/meta-data/"}, "address-refused"),
        ({"url": "file:///etc/passwd"}, "address-refused"),
        ({"url": "https://8.8.8.8/" + "x" * 500}, "validation-failed"),
        ({"url": 5}, "validation-failed"),
        ({"events": []}, "validation-failed"),
        ({"events": ["Order Paid"]}, "event-pattern-invalid"),
        ({"signatures": ["v2"]}, "validation-failed"),
        ({"status": "active"}, "validation-failed"),
        ({"merchant_id": "mer_other"}, "validation-failed"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(
    office: Office, given: dict[str, Any], code: str
) -> None:
    answer = office.call("POST", ENDPOINTS, json={"url": URL, "events": ["*"], **given})
    assert answer.status_code in {400, 422}
    assert answer.get_json()["code"] == code


def test_an_endpoint_is_changed_rotated_disabled_and_enabled(office: Office) -> None:
    added = add_endpoint(office)
    target = f"{ENDPOINTS}/{added['endpoint']['endpoint_id']}"
    changed = office.call("PATCH", target, json={"events": ["refund.*", "order.paid"]})
    assert changed.get_json()["events"] == ["order.paid", "refund.*"]
    assert changed.get_json()["url"] == URL
    rotated = office.call("POST", f"{target}/rotate", json={})
    assert rotated.status_code == 201
    assert rotated.get_json()["secret"] != added["secrets"][0]["secret"]
    disabled = office.call("POST", f"{target}/disable").get_json()
    assert (disabled["status"], disabled["disabled_reason"]) == ("disabled", "owner")
    enabled = office.call("POST", f"{target}/enable").get_json()
    assert (enabled["status"], enabled["disabled_reason"]) == ("active", None)


def test_deliveries_come_in_pages_and_are_replayed(office: Office) -> None:
    endpoint_id = add_endpoint(office)["endpoint"]["endpoint_id"]
    sell(office, *(f"tic_{i}" for i in range(5)))
    seen: list[str] = []
    target = first = f"{DELIVERIES}?limit=2&state=due&endpoint_id={endpoint_id}"
    while target:
        page = office.call("GET", target).get_json()
        seen += [delivery["subject"] for delivery in page["items"]]
        target = page["next_cursor"] and f"{first}&cursor={page['next_cursor']}"
    assert seen == ["tic_4", "tic_3", "tic_2", "tic_1", "tic_0"]

    office.call("POST", f"{ENDPOINTS}/{endpoint_id}/disable")
    dead = office.call("GET", f"{DELIVERIES}?state=dead").get_json()["items"]
    assert len(dead) == 5
    replayed = office.call("POST", f"{DELIVERIES}/{dead[0]['delivery_id']}/replay")
    assert (replayed.status_code, replayed.get_json()["state"]) == (202, "due")
    now = office.clock.now()
    span = {"since": (now - timedelta(hours=1)).isoformat(), "until": now.isoformat()}
    answer = office.call("POST", f"{ENDPOINTS}/{endpoint_id}/replay", json=span)
    assert answer.get_json() == {"deliveries": 5}

    detail = office.call("GET", f"{DELIVERIES}/{dead[0]['delivery_id']}").get_json()
    assert detail["log"] == []
    assert '"ticket_id":"tic_4"' in detail["body"]


def place(office: Office, number: int) -> str:
    with office.database.transaction() as session:
        return orders.place(
            session,
            book_id=METRO,
            service="transit",
            service_reference=f"tic_{number}",
            citizen_id="cit_secret",
            amount_minor=400,
            currency="CNY",
            subject="地铁单程票",
            expires_at=office.clock.now() + timedelta(minutes=15),
            metadata={},
            now=office.clock.now(),
        ).id


def test_orders_come_in_pages_and_do_not_say_who_the_citizen_is(office: Office) -> None:
    with office.database.transaction() as session:
        ledger.open_book(session, book_id=METRO, name="Metro", now=office.clock.now())
    placed = [place(office, number) for number in range(3)]
    first = office.call("GET", "/v1/merchants/orders?limit=2").get_json()
    cursor = first["next_cursor"]
    second = office.call("GET", f"/v1/merchants/orders?limit=2&cursor={cursor}").get_json()
    told = [*first["items"], *second["items"]]
    assert [order["order_id"] for order in told] == sorted(placed, reverse=True)
    one = office.call("GET", f"/v1/merchants/orders/{placed[0]}")
    assert one.get_json()["amount_minor"] == 400
    assert "cit_secret" not in one.text


def test_what_is_another_merchants_is_not_found(office: Office, stranger: Signer) -> None:
    endpoint_id = add_endpoint(office)["endpoint"]["endpoint_id"]
    sell(office, "tic_1")
    with office.database.transaction() as session:
        ledger.open_book(session, book_id=METRO, name="Metro", now=office.clock.now())
    order_id = place(office, 1)
    (delivery,) = office.call("GET", DELIVERIES).get_json()["items"]
    delivery_id = delivery["delivery_id"]
    span = {"since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}
    for method, target, json in (
        ("GET", f"{ENDPOINTS}/{endpoint_id}", None),
        ("PATCH", f"{ENDPOINTS}/{endpoint_id}", {"events": ["*"]}),
        ("POST", f"{ENDPOINTS}/{endpoint_id}/rotate", {}),
        ("POST", f"{ENDPOINTS}/{endpoint_id}/disable", None),
        ("POST", f"{ENDPOINTS}/{endpoint_id}/enable", None),
        ("POST", f"{ENDPOINTS}/{endpoint_id}/replay", span),
        ("GET", f"{DELIVERIES}/{delivery_id}", None),
        ("POST", f"{DELIVERIES}/{delivery_id}/replay", None),
        ("GET", f"/v1/merchants/orders/{order_id}", None),
    ):
        answer = office.call(method, target, json=json, signer=stranger)
        assert answer.status_code == 404, f"{method} {target}"
    for target in (ENDPOINTS, DELIVERIES, "/v1/merchants/orders"):
        assert office.call("GET", target, signer=stranger).get_json()["items"] == []
