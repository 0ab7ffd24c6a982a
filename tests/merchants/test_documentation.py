"""The code of docs/merchants.md, taken out of the page and run against a server on loopback."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import HTTPError

import pytest
from cryptography.exceptions import InvalidSignature
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import WebhookVerificationError
from werkzeug.serving import make_server

from payments.events.facts import declared
from payments.kernel.clock import SystemClock
from payments.merchants import operations
from payments.merchants.callback_secrets import CallbackSecret
from payments.merchants.rules import SecretKind
from services.host.application import create_app
from services.host.plugins import discover
from services.merchants.plugin import plugin
from tests.architecture.sources import ROOT
from tests.host.umbrellas import settings
from tests.webhooks.conftest import Office, Receiver, httpserver, office

__all__ = ["httpserver", "office"]  # Fixtures that pytest finds by these names.

FILE = re.compile(r"```\w+ file=(\S+)\n(.*?)```", re.DOTALL)
ME = "/v1/merchants/me"
ENDPOINTS = "/v1/merchants/endpoints"

# A machine with Python and make alone passes the rest; in CI nothing is skipped.
with_their_tools = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl")) and "CI" not in os.environ,
    reason="curl or openssl is missing",
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page, and a fresh key."""
    folder = tmp_path_factory.mktemp("merchant")
    text = (ROOT / "docs" / "merchants.md").read_text("utf-8")
    for name, content in FILE.findall(text):
        (folder / name).write_text(content, "utf-8")
    for command in (
        "openssl genpkey -algorithm ed25519 -out key.pem",
        "openssl pkey -in key.pem -pubout -out public.pem",
    ):
        assert command in text
        subprocess.run(command.split(), cwd=folder, check=True)
    return folder


def test_the_page_lists_every_event_with_its_data() -> None:
    discover()
    text = (ROOT / "docs" / "merchants.md").read_text("utf-8")
    listed = {
        row.group(1): tuple(re.findall(r"`([a-z_]+)`", row.group(2)))
        for row in re.finditer(r"^\| `([a-z.-]+)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    }
    published = {
        name: fact.published
        for name, fact in declared().items()
        if fact.published and fact.__module__.startswith(("payments.", "services."))
    }
    assert listed == published, "bring the table of events in docs/merchants.md up to date"


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    """Where the platform listens, with real time and real sockets."""
    server = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True)
    address = f"http://127.0.0.1:{server.server_port}"
    server.app = create_app(
        settings(public_url=address, callback_hosts_allowed=frozenset({"localhost:9"})),
        installed=(plugin,),
        database=office.database,
        clock=SystemClock(),
        vault=office.vault,
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield address
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def key_id(office: Office, page: Path) -> str:
    with office.database.transaction() as session:
        return operations.add_key(
            session,
            merchant_id=office.merchant_id,
            public_key=(page / "public.pem").read_text(),
            now=office.clock.now(),
        ).key_id


@pytest.fixture(scope="module")
def client(page: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("qiantang_page", page / "qiantang.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@with_their_tools
def test_the_python_client_signs_what_we_accept(
    address: str, key_id: str, page: Path, client: ModuleType
) -> None:
    qiantang = client.Qiantang(address, key_id, (page / "key.pem").read_bytes())
    assert qiantang.call("GET", ME)["book_id"] == "HZMTRO"
    added = qiantang.call(
        "POST", ENDPOINTS, {"url": "http://localhost:9/hook", "events": ["order.*"]}
    )
    assert added["secrets"][0]["secret"].startswith("whsec_")
    assert len(qiantang.call("GET", f"{ENDPOINTS}?")["items"]) == 1
    stranger = client.Qiantang(address, "key_nobody", (page / "key.pem").read_bytes())
    with pytest.raises(HTTPError) as refused:
        stranger.call("GET", ME)
    with refused.value as answer:
        assert json.load(answer)["code"] == "signature-key-unknown"


def call(page: Path, address: str, key_id: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        ["sh", "call.sh", *arguments],
        cwd=page,
        env={"PATH": "/usr/bin:/bin", "QIANTANG": address, "KEY_ID": key_id, "KEY": "key.pem"},
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@with_their_tools
def test_curl_and_openssl_sign_what_we_accept(address: str, key_id: str, page: Path) -> None:
    assert call(page, address, key_id, "GET", ME)["book_id"] == "HZMTRO"
    body = page / "endpoint.json"
    body.write_text(json.dumps({"url": "http://localhost:9/hook", "events": ["*"]}))
    added = call(page, address, key_id, "POST", ENDPOINTS, body.name)
    endpoint_id = added["endpoint"]["endpoint_id"]
    disabled = call(page, address, key_id, "POST", f"{ENDPOINTS}/{endpoint_id}/disable")
    assert disabled["status"] == "disabled"
    assert call(page, address, "key_nobody", "GET", ME)["code"] == "signature-key-unknown"


@pytest.fixture
def callback(office: Office, httpserver: HTTPServer) -> tuple[dict[str, str], bytes, Receiver, str]:
    """One callback as it arrived, signed both ways."""
    receiver = Receiver(httpserver, "/hook")
    pair = CallbackSecret.generate(SecretKind.ED25519)
    endpoint = office.endpoint(receiver)
    with office.database.transaction() as session:
        operations.rotate_secret(
            session,
            merchant_id=office.merchant_id,
            endpoint_id=endpoint.endpoint_id,
            secret=pair,
            vault=office.vault,
            now=office.clock.now(),
        )
    office.sell("tic_1")
    office.deliver()
    (request,) = receiver.received
    return dict(request.headers), request.get_data(), receiver, pair.shown


@with_their_tools
def test_the_python_client_verifies_callbacks(
    client: ModuleType, callback: tuple[dict[str, str], bytes, Receiver, str]
) -> None:
    headers, body, receiver, public_key = callback
    for secret in (receiver.secret.shown, public_key):
        assert client.verify_callback(secret, headers, body)["subject"] == "tic_1"
        with pytest.raises((WebhookVerificationError, InvalidSignature)):
            client.verify_callback(secret, headers, body + b" ")
    old = {**headers, "Webhook-Timestamp": str(int(time.time()) - 400)}
    for secret in (receiver.secret.shown, public_key):
        with pytest.raises((WebhookVerificationError, ValueError), match="old"):
            client.verify_callback(secret, old, body)


@with_their_tools
def test_openssl_verifies_callbacks(
    page: Path, callback: tuple[dict[str, str], bytes, Receiver, str]
) -> None:
    headers, body, receiver, _ = callback
    fields = {name.lower(): value for name, value in headers.items()}
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    for content, expected in ((body, 0), (body + b" ", 1)):
        (page / "body").write_bytes(content)
        done = subprocess.run(
            ["sh", "verify.sh", *(fields[name] for name in names), "body"],
            cwd=page,
            env={"PATH": "/usr/bin:/bin", "SECRET": receiver.secret.text},
            check=False,
        )
        assert done.returncode == expected
