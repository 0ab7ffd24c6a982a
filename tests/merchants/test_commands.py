"""`flask merchants …`, from nothing to a signed request."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from payments.kernel.clock import FixedClock
from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from payments.ledger.queries import books
from services.host.application import create_app
from services.merchants.plugin import plugin
from tests.host.umbrellas import settings
from tests.support.signing import Signer

ME = "/v1/merchants/me"


def run(app: Flask, *arguments: str) -> dict[str, Any]:
    result = app.test_cli_runner().invoke(args=["merchants", *arguments])
    assert result.exit_code == 0, result.output
    said: dict[str, Any] = json.loads(result.output.splitlines()[-1])
    return said


def test_an_operator_brings_a_merchant_to_its_first_request(
    database: Database, clock: FixedClock, vault: Vault, tmp_path: Path
) -> None:
    app = create_app(
        settings(callback_hosts_allowed=frozenset({"localhost:9"})),
        installed=(plugin,),
        database=database,
        clock=clock,
        vault=vault,
    )
    client: FlaskClient = app.test_client()
    names = ("--name-zh", "杭州地铁", "--name-en", "Hangzhou Metro")
    code = ("--credit-code", "91110000600037341L")
    merchant = run(app, "register", "--book", "HZMTRO", *names, *code, "--draft")
    merchant_id = merchant["merchant_id"]
    signer, kiosk = Signer(), Signer()
    (tmp_path / "key").write_text(signer.public_key)
    signer.key_id = run(app, "add-key", merchant_id, str(tmp_path / "key"))["key_id"]

    def status_of(who: Signer) -> int:
        return client.get(ME, headers=who.headers("GET", ME, created=clock.now())).status_code

    assert status_of(signer) == 403
    for event in ("submit", "approve"):
        run(app, "status", merchant_id, event)
    assert status_of(signer) == 200

    device = run(app, "add-device", merchant_id, "--kind", "kiosk", "--name", "A", "--place", "5")
    (tmp_path / "kiosk").write_text(kiosk.public_key)
    kiosk.key_id = run(
        app, "add-key", merchant_id, str(tmp_path / "kiosk"), "--device", device["device_id"]
    )["key_id"]
    assert status_of(kiosk) == 200
    run(app, "revoke-key", kiosk.key_id)
    assert status_of(kiosk) == 401

    endpoint = run(
        app, "add-endpoint", merchant_id, "http://localhost:9/hook", "--signature", "v1a"
    )
    assert [secret["secret"][:5] for secret in endpoint["secrets"]] == ["whpk_"]


def test_a_mistake_is_answered_with_one_line(
    database: Database, clock: FixedClock, vault: Vault
) -> None:
    app = create_app(settings(), installed=(plugin,), database=database, clock=clock, vault=vault)
    result = app.test_cli_runner().invoke(
        args=[
            *("merchants", "register", "--book", "HZMTRO", "--credit-code", "1"),
            *("--name-zh", "杭州地铁", "--name-en", "Metro"),
        ]
    )
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) == 1


FILE = """
book = "HZMTRO"
name_zh = "杭州地铁"
name_en = "Hangzhou Metro"
credit_code = "91330100MA0000000C"
key = "server.key"
[[devices]]
kind = "kiosk"
name = "Longxiangqiao, exit A"
place = "9"
key = "kiosk.key"
"""


def test_a_merchant_is_onboarded_from_one_file_or_not_at_all(
    database: Database, clock: FixedClock, vault: Vault, tmp_path: Path
) -> None:
    app = create_app(settings(), installed=(plugin,), database=database, clock=clock, vault=vault)
    server, kiosk = Signer(), Signer()
    (tmp_path / "server.key").write_text(server.public_key)
    (tmp_path / "metro.toml").write_text(FILE, "utf-8")
    command = ["merchants", "onboard", str(tmp_path / "metro.toml")]
    assert app.test_cli_runner().invoke(args=command).exit_code == 1
    (tmp_path / "kiosk.key").write_text(kiosk.public_key)
    known = run(app, *command[1:])
    server.key_id = known["key_id"]
    (device,) = known["devices"]
    kiosk.key_id = device["key_id"]
    for who, kind in ((server, "merchant"), (kiosk, "device")):
        headers = who.headers("GET", ME, created=clock.now())
        answer = app.test_client().get(ME, headers=headers).get_json()
        assert (answer["kind"], answer["merchant_id"]) == (kind, known["merchant_id"])
    with database.read() as session:
        assert {"HZMTRO", "QTPLAT"} <= set(books(session))


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (b"book = ", "the file is not TOML: "),
        (b'book = "\xff"', "the file is not text in UTF-8: "),
        (b'book = "HZMTRO"', "say "),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(
    database: Database, clock: FixedClock, vault: Vault, tmp_path: Path, written: bytes, reason: str
) -> None:
    app = create_app(settings(), installed=(plugin,), database=database, clock=clock, vault=vault)
    (tmp_path / "metro.toml").write_bytes(written)
    command = ["merchants", "onboard", str(tmp_path / "metro.toml")]
    done = app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert reason in done.output
    assert len(done.output.splitlines()) == 1
