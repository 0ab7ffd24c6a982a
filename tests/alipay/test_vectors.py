"""Vectors that independent libraries made and checked."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from payments.kernel.crypto import load_rsa_private_key, load_rsa_public_key
from payments.providers.alipay import signing, wire
from payments.providers.interface import NoticeRejected, Outcome
from tests.alipay.accounts import NOW, vector_account
from tests.vectors import vectors

KEYS: dict[str, str] = vectors()["keys"]


@pytest.mark.parametrize("vector", vectors()["alipay_request"])
def test_a_request_is_signed_as_three_sdks_sign_it(vector: dict[str, Any]) -> None:
    text = signing.request_content(vector["params"])
    assert text == vector["string_to_sign"]
    key = load_rsa_private_key(KEYS[vector["private_key"]])
    assert signing.sign(text.encode(), key) == vector["sign"]
    sent = {name: values[0] for name, values in parse_qs(vector["signed_query_string"]).items()}
    assert sent == vector["params"] | {"sign": vector["sign"]}


def test_sign_type_is_signed_and_empty_values_are_not() -> None:
    text = signing.request_content({"b": "2", "sign_type": "RSA2", "sign": "x", "a": ""})
    assert text == "b=2&sign_type=RSA2"


@pytest.mark.parametrize("vector", vectors()["alipay_notify"], ids=lambda vector: vector["name"])
def test_a_notice_verifies_and_reads(vector: dict[str, Any]) -> None:
    account = vector_account(vector["public_key"])
    notice = account.read_notice({}, vector["raw_body"].encode(), now=NOW)
    given = {k: v for k, v in vector["form"].items() if k not in {"sign", "sign_type"}}
    assert notice.fields == given
    assert (notice.notice_id, notice.kind) == (given["notify_id"], given["notify_type"])


@pytest.mark.parametrize("vector", vectors()["alipay_notify"], ids=lambda vector: vector["name"])
def test_the_string_of_a_notice_is_the_one_the_sdks_compute(vector: dict[str, Any]) -> None:
    account = vector_account(vector["public_key"])
    changed = vector["raw_body"].replace("version=1.0", "version=1.1")
    with pytest.raises(wire.NoticeNotSigned) as rejected:
        account.read_notice({}, changed.encode(), now=NOW)
    assert rejected.value.computed == vector["string_to_sign"].replace("version=1.0", "version=1.1")


def test_the_paid_notice_says_everything_the_order_engine_compares() -> None:
    vector = vectors()["alipay_notify"][0]
    account = vector_account(vector["public_key"])
    report = account.read_notice({}, vector["raw_body"].encode(), now=NOW).report
    assert report is not None
    assert report.outcome is Outcome.SUCCEEDED
    assert (report.number, report.amount_minor, report.currency) == ("PAY202611220001", 8888, "CNY")
    assert (report.app_id, report.seller_id) == ("2021000000000001", "2088000000000002")
    assert str(report.happened_at) == "2026-11-22 00:30:05+00:00"


def test_an_agreement_notice_is_about_no_payment() -> None:
    vector = vectors()["alipay_notify"][1]
    account = vector_account(vector["public_key"])
    assert account.read_notice({}, vector["raw_body"].encode(), now=NOW).report is None


def test_every_flipped_bit_of_a_notice_is_noticed() -> None:
    """A flip is refused, or it changes only how the same fields are written (%2B and %2b)."""
    vector = vectors()["alipay_notify"][0]
    account = vector_account(vector["public_key"])
    body = vector["raw_body"].encode()
    authentic = account.read_notice({}, body, now=NOW)
    for place in range(len(body)):
        flipped = bytes([body[place] ^ (1 << place % 8)])
        try:
            notice = account.read_notice({}, body[:place] + flipped + body[place + 1 :], now=NOW)
        except NoticeRejected:
            continue
        assert notice == authentic, f"byte {place}"


@pytest.mark.parametrize("vector", vectors()["alipay_response"])
def test_an_answer_is_checked_over_the_bytes_it_was_sent_in(vector: dict[str, Any]) -> None:
    """Braces and quotes inside strings and escaped slashes are in this one."""
    account = vector_account(vector["public_key"])
    answer = wire.read_answer(
        account.credentials.alipay, "alipay.trade.query", vector["raw_body"].encode()
    )
    assert answer.fields == json.loads(vector["signed_node"])
    raw = wire._members(vector["raw_body"])
    assert raw[vector["response_key"]] == vector["signed_node"]
    altered = vector["raw_body"].replace("88.88", "88.89")
    with pytest.raises(wire.AnswerUnverifiable, match="does not verify"):
        wire.read_answer(account.credentials.alipay, "alipay.trade.query", altered.encode())


@pytest.mark.parametrize("vector", vectors()["alipay_cert_sn_synthetic"])
def test_a_certificate_has_the_sn_the_sdks_give_it(vector: dict[str, Any]) -> None:
    compute = signing.root_certificate_sn if vector["root"] else signing.certificate_sn
    assert compute(vector["pem"].encode()) == vector["sn"]


def test_a_member_of_the_root_bundle_that_cannot_be_read_is_skipped() -> None:
    vector = vectors()["alipay_cert_sn_synthetic"][0]
    broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    bundle = broken + vector["pem"] + broken + KEYS["alipay_app.crt"]
    second = signing.certificate_sn(KEYS["alipay_app.crt"].encode())
    assert signing.root_certificate_sn(bundle.encode()) == f"{vector['sn']}_{second}"


@pytest.mark.parametrize("name", [name for name in KEYS if name.startswith("alipay")])
def test_a_key_is_read_with_and_without_armour(name: str) -> None:
    if name.endswith(".crt"):
        assert signing.certificate_key(KEYS[name].encode()).key_size == 2048
        return
    load = load_rsa_public_key if name.endswith(".pub") else load_rsa_private_key
    bare = "".join(KEYS[name].splitlines()[1:-1])
    assert load(bare).key_size == load(KEYS[name]).key_size == 2048
