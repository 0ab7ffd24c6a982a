import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from payments.kernel.states import TransitionRefused
from payments.merchants import rules
from payments.merchants.callback_secrets import CallbackSecret, raw_secret
from payments.merchants.rules import (
    BookInvalid,
    CreditCodeInvalid,
    EventPatternInvalid,
    MerchantEvent,
    MerchantStatus,
    NameInvalid,
    NonceInvalid,
    PublicKeyInvalid,
    SecretKind,
)

PUBLIC_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()


def test_a_credit_code_is_checked_and_stored_plain() -> None:
    assert rules.credit_code(" 9111 0000 6000 3734 1l ") == "91110000600037341L"


@pytest.mark.parametrize(
    "text", ["91110000600037341M", "9111000060003734", "", "9111000060003734IL"]
)
def test_a_wrong_credit_code_is_refused(text: str) -> None:
    with pytest.raises(CreditCodeInvalid):
        rules.credit_code(text)


@pytest.mark.parametrize(
    "text", ["", "hzmtro", "HZMTR", "HZMTROX", "HZMTR\n", "ＨＺＭＴＲＯ", "QTPLAT"]
)
def test_a_book_has_a_code_of_its_own(text: str) -> None:
    assert rules.book("HZMTRO") == "HZMTRO"
    with pytest.raises(BookInvalid):
        rules.book(text)


def test_a_public_key_is_read_as_pem_and_as_base64() -> None:
    raw = PUBLIC_KEY.public_bytes(Encoding.Raw, PublicFormat.Raw)
    pem = PUBLIC_KEY.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert rules.public_key(pem) == raw
    assert rules.public_key(base64.b64encode(raw).decode()) == raw


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a key",
        base64.b64encode(bytes(31)).decode(),
        base64.b64encode(bytes(32)).decode(),
        base64.b64encode(b"\x01" + bytes(31)).decode(),
        generate_private_key(SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    ],
    ids=["empty", "words", "short", "zero", "one", "P-256"],
)
def test_what_is_no_usable_public_key_is_refused(text: str) -> None:
    with pytest.raises(PublicKeyInvalid):
        rules.public_key(text)


@pytest.mark.parametrize(
    ("patterns", "event", "expected"),
    [
        (["*"], "order.paid", True),
        (["order.*"], "order.paid", True),
        (["order.*"], "orders.paid", False),
        (["order.*"], "order", False),
        (["order.paid"], "order.paid", True),
        (["order.paid"], "order.paid.late", False),
        (["refund.succeeded", "order.closed"], "order.closed", True),
        (["refund.*"], "order.closed", False),
    ],
)
def test_event_filters(patterns: list[str], event: str, *, expected: bool) -> None:
    assert rules.matches(rules.event_patterns(patterns), event) is expected


@pytest.mark.parametrize("pattern", ["", "order.", "*.paid", "Order.paid", "order paid", "**", "."])
def test_a_pattern_that_can_match_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(EventPatternInvalid):
        rules.event_patterns([pattern])


def test_a_filter_has_one_pattern_at_least_and_not_too_many() -> None:
    with pytest.raises(EventPatternInvalid):
        rules.event_patterns([])
    with pytest.raises(EventPatternInvalid):
        rules.event_patterns([f"order.e{i}" for i in range(33)])


@given(st.text(max_size=80))
def test_a_nonce_is_plain_and_of_bounded_length(text: str) -> None:
    try:
        accepted = rules.nonce(text)
    except NonceInvalid:
        return
    assert accepted == text
    assert accepted.isascii()
    assert 16 <= len(accepted) <= 64


@pytest.mark.parametrize("text", ["", "   ", "名" * 121])
def test_a_name_is_neither_empty_nor_endless(text: str) -> None:
    with pytest.raises(NameInvalid):
        rules.name(text)


def test_a_closed_merchant_stays_closed() -> None:
    assert rules.MERCHANT.next(MerchantStatus.DRAFT, MerchantEvent.SUBMIT) is MerchantStatus.REVIEW
    for event in MerchantEvent:
        with pytest.raises(TransitionRefused):
            rules.MERCHANT.next(MerchantStatus.CLOSED, event)


def test_secrets_have_the_forms_of_standard_webhooks_and_do_not_show_themselves() -> None:
    shared = CallbackSecret.generate(SecretKind.HMAC)
    assert shared.text.startswith("whsec_")
    assert shared.shown == shared.text
    pair = CallbackSecret.generate(SecretKind.ED25519)
    assert pair.text.startswith("whsk_")
    assert pair.shown == pair.public_key
    assert pair.shown.startswith("whpk_")
    assert len(raw_secret(shared.text)) == len(raw_secret(pair.text)) == 32
    assert shared.text not in repr(shared)
    assert pair.text not in repr(pair)
