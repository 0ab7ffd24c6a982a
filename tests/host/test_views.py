import json

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from services.host import openapi
from services.host.settings import Settings
from tests.host.umbrellas import app_over, settings

GROUPS = ["transit", "medical", "government", "car-owner"]


@pytest.fixture
def client(clock: FixedClock) -> FlaskClient:
    client: FlaskClient = app_over(None, clock).test_client()
    return client


def test_the_catalogue_lists_services_by_group(client: FlaskClient) -> None:
    answer = client.get("/v1/catalogue")
    groups = answer.get_json()["groups"]
    assert [group["name"] for group in groups] == GROUPS
    assert groups[0]["services"] == [
        {
            "name": "umbrella-loans",
            "plugin": "umbrellas",
            "title": {"zh": "借伞", "en": "Borrow an umbrella"},
            "summary": {"zh": "下雨也不怕", "en": "Rain or shine"},
            "path": "/v1/umbrellas",
        }
    ]
    assert all(group["title"]["zh"] and group["title"]["en"] for group in groups)


def test_the_catalogue_is_not_sent_twice(client: FlaskClient) -> None:
    first = client.get("/v1/catalogue")
    assert first.headers["Cache-Control"] == "public, max-age=300"
    again = client.get("/v1/catalogue", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["ETag"] == first.headers["ETag"]


def test_live_needs_no_database(client: FlaskClient) -> None:
    assert client.get("/health/live").get_json() == {"status": "alive"}


def test_ready_is_red_without_a_database(client: FlaskClient) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.get_json()["checks"] == {"database": "unreachable"}


def test_ready_is_green_when_migrated(database: Database, clock: FixedClock) -> None:
    answer = app_over(database, clock).test_client().get("/health/ready")
    assert answer.get_json() == {
        "status": "ready",
        "checks": {"database": "ok", "migrations": "ok"},
    }
    assert answer.status_code == 200


def test_a_database_that_is_away_is_said_to_be_so(client: FlaskClient) -> None:
    answer = client.post(
        "/v1/umbrellas/loans",
        json={"stand": "a"},
        headers={"Authorization": "Bearer citizen.cit_1", "Idempotency-Key": "key-1"},
    )
    assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_figures_name_routes_and_never_paths(client: FlaskClient) -> None:
    client.get("/v1/nowhere/7", buffered=True)
    client.get("/v1/catalogue", buffered=True)
    figures = client.get("/metrics").get_data(as_text=True)
    assert 'qiantang_requests_total{method="GET",route="/v1/catalogue",status="200"}' in figures
    assert "nowhere" not in figures


def production(**given: object) -> Settings:
    return settings(
        environment="production",
        public_url="https://api.example.com",
        providers_directory="providers",
        **given,
    )


def test_figures_in_production_need_the_token(clock: FixedClock) -> None:
    client = app_over(None, clock, metrics_token="scraper").test_client()
    assert client.get("/metrics").status_code == 404
    for token, status in (("other", 404), ("scraper", 200)):
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/metrics", headers=headers).status_code == status


def test_the_docs_page_is_whole_and_asks_nobody_else(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    text = page.get_data(as_text=True)
    assert "http" not in text.replace("http-equiv", "")
    for part in ("start.js", "assets/swagger-ui.css", "assets/swagger-ui-bundle.js"):
        assert f"/docs/{part}" in text
        assert client.get(f"/docs/{part}", buffered=True).status_code == 200
    assert client.get("/docs/openapi.json").get_json()["openapi"] == "3.1.0"
    assert client.get("/docs/assets/index.html").status_code == 404
    assert client.get("/docs/assets/..%2f__init__.py").status_code == 404


def test_the_docs_page_can_be_switched_off(clock: FixedClock) -> None:
    assert app_over(None, clock, docs=False).test_client().get("/docs").status_code == 404
    assert not production().docs_served
    assert production(docs=True).docs_served


def test_the_document_is_valid_openapi_3_1(clock: FixedClock) -> None:
    document = openapi.document(app_over(None, clock))
    validate(document, cls=OpenAPIV31SpecValidator)
    operations = [
        operation
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in openapi.METHODS
    ]
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_the_document_says_what_the_routes_declare(clock: FixedClock) -> None:
    paths = openapi.document(app_over(None, clock))["paths"]
    lend = paths["/v1/umbrellas/loans"]["post"]
    assert lend["security"] == [{"bearer": []}]
    assert lend["tags"] == ["Citizens"]
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in lend["parameters"]
    assert set(lend["responses"]) == {
        *("201", "400", "401", "403", "409", "413", "415", "422", "429", "500", "503"),
        "default",
    }
    assert "Idempotent-Replayed" in lend["responses"]["201"]["headers"]
    assert paths["/v1/umbrellas/repairs"]["post"]["x-role"] == "mechanic"
    assert paths["/v1/umbrellas/taps"]["post"]["security"] == [{"signature": []}]
    assert paths["/v1/umbrellas/taps"]["post"]["tags"] == ["Merchants", "Devices"]
    assert "404" in paths["/v1/umbrellas/loans/{loan_id}"]["get"]["responses"]
    catalogue = paths["/v1/catalogue"]["get"]
    assert catalogue["security"] == []
    assert catalogue["summary"] == "List the services of the city"


def test_what_is_taken_is_closed_and_what_is_answered_is_open(clock: FixedClock) -> None:
    schemas = openapi.document(app_over(None, clock))["components"]["schemas"]
    assert schemas["LoanInput"]["additionalProperties"] is False
    assert schemas["Size"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["Loan"]
    assert "PaginationMetadata" not in schemas


def test_a_code_has_one_meaning() -> None:
    codes = [code for code, _, _, _ in openapi.codes()]
    assert sorted(set(codes)) == codes, "give one of the two errors another code"


def test_the_document_is_the_same_twice(clock: FixedClock) -> None:
    first = openapi.written(app_over(None, clock))
    assert first == openapi.written(app_over(None, clock))
    codes = json.loads(first)["components"]["schemas"]["Problem"]["properties"]["code"]
    for code in ("validation-failed", "idempotency-key-reused", "not-found", "internal"):
        assert f"| `{code}` |" in codes["description"]
    assert "decryption-failed" not in codes["description"]
