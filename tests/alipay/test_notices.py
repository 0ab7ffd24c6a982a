"""Notices that Alipay really signed, and what may be wrong with them all the same."""

from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payments.kernel.crypto import load_rsa_private_key
from payments.providers.alipay import signing, wire
from payments.providers.interface import Notice, NoticeRejected, Outcome, Report
from tests.alipay.accounts import NOW, vector_account
from tests.vectors import vectors

ACCOUNT = vector_account()
PLATFORM = load_rsa_private_key(vectors()["keys"]["alipay_platform"])
PAID = {
    name: value
    for name, value in vectors()["alipay_notify"][0]["form"].items()
    if name not in {"sign", "sign_type"}
}
REFUNDED = PAID | {
    "out_biz_no": "REFUND1",
    "refund_fee": "30.00",
    "gmt_refund": "2026-11-22 09:00:00.123",
}


def body(fields: dict[str, str], *, without: frozenset[bytes] = signing.NOTICE_RULES[0]) -> bytes:
    """Sign fields as Alipay does by one of the two rules."""
    given = fields | {"sign_type": "RSA2"}
    pairs = [(name.encode(), value.encode()) for name, value in given.items()]
    content = signing.notice_content(pairs, without=without)
    return urlencode(given | {"sign": signing.sign(content, PLATFORM)}).encode()


def read(fields: dict[str, str]) -> Notice:
    return ACCOUNT.read_notice({}, body(fields), now=NOW)


def report(fields: dict[str, str]) -> Report:
    found = read(fields).report
    assert found is not None
    return found


def test_a_notice_signed_by_the_second_rule_verifies() -> None:
    received = body(PAID, without=signing.NOTICE_RULES[1])
    assert ACCOUNT.read_notice({}, received, now=NOW).fields == PAID


def test_empty_values_are_signed() -> None:
    assert read(PAID | {"body": ""}).fields["body"] == ""
    dropped = body(PAID | {"body": ""}).replace(b"&body=", b"")
    with pytest.raises(NoticeRejected):
        ACCOUNT.read_notice({}, dropped, now=NOW)


def test_values_are_decoded_once() -> None:
    odd = PAID | {"subject": "100%25 + %2B & = 地铁\n"}
    assert read(odd).fields["subject"] == odd["subject"]


def test_a_notice_in_gbk_reads() -> None:
    fields = PAID | {"charset": "GBK", "sign_type": "RSA2"}
    pairs = [(name.encode(), value.encode("gbk")) for name, value in fields.items()]
    content = signing.notice_content(pairs, without=signing.NOTICE_RULES[0])
    signed = [*pairs, (b"sign", signing.sign(content, PLATFORM).encode())]
    received = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in signed)
    notice = ACCOUNT.read_notice({}, received.encode("ascii"), now=NOW)
    assert notice.fields["subject"] == PAID["subject"]


def test_another_algorithm_is_refused_even_when_rightly_named() -> None:
    """Whatever a message says of its sign_type, only RSA2 is checked (OWASP ASVS V11).

    Seen to fail when the field was not looked at: the first rule does not sign it.
    """
    for named in ("RSA", "MD5", "none", "rsa2", ""):
        with pytest.raises(NoticeRejected, match="sign_type is not RSA2"):
            ACCOUNT.read_notice({}, body(PAID).replace(b"=RSA2", b"=" + named.encode()), now=NOW)


def test_a_sign_has_one_spelling() -> None:
    """The last character before the padding has four bits that decoders drop.

    Seen to fail when `is_signed` did not encode what it decoded and compare.
    """
    received = body(PAID)
    last = received.rindex(b"%3D%3D") - 1
    respelt = received[:last] + bytes([received[last] + 1]) + received[last + 1 :]
    with pytest.raises(NoticeRejected):
        ACCOUNT.read_notice({}, respelt, now=NOW)


def test_another_accounts_key_does_not_verify() -> None:
    stranger = vector_account("unionpay_platform.pub")
    with pytest.raises(wire.NoticeNotSigned):
        stranger.read_notice({}, body(PAID), now=NOW)


@pytest.mark.parametrize(
    ("sent", "joined", "reason"),
    [
        (b"app_id=X&auth_app_id=", b"app_id%3DX%26auth_app_id=", "not an url-encoded form"),
        (b"&seller_id=X", b"%26seller_id%3DX", "app_id or seller_id is missing"),
    ],
)
def test_no_field_hides_inside_its_neighbour(sent: bytes, joined: bytes, reason: str) -> None:
    """A sign covers the fields joined, so it also fits two of them sent as one.

    Seen to fail when a name could hold = and &, and when a notice could leave out the seller: one
    about a stranger's app or seller then read as if it named none.
    """
    received = body(dict(sorted((PAID | {"app_id": "X", "seller_id": "X"}).items())))
    assert sent in received
    with pytest.raises(NoticeRejected, match=reason):
        ACCOUNT.read_notice({}, received.replace(sent, joined), now=NOW)


def test_the_amount_is_in_the_currency_the_notice_names() -> None:
    """Seen to fail when every amount was taken for yuan."""
    assert report(PAID).currency == "CNY"
    assert report(PAID | {"trans_currency": "JPY"}).currency == "JPY"


def test_the_reason_holds_nothing_of_the_payer() -> None:
    with pytest.raises(NoticeRejected) as rejected:
        ACCOUNT.read_notice({}, body(PAID).replace(b"88.88", b"88.89"), now=NOW)
    assert rejected.value.detail == "sign does not verify with alipay_public_key.pem"


@pytest.mark.parametrize(
    ("changes", "outcome", "happened"),
    [
        ({}, Outcome.SUCCEEDED, "2026-11-22 00:30:05+00:00"),
        ({"trade_status": "TRADE_FINISHED"}, Outcome.SUCCEEDED, "2026-11-22 00:30:05+00:00"),
        ({"trade_status": "TRADE_CLOSED"}, Outcome.SUCCEEDED, "2026-11-22 00:30:05+00:00"),
        ({"trade_status": "TRADE_PENDING"}, Outcome.UNKNOWN, "2026-11-22 00:30:05+00:00"),
    ],
)
def test_a_paid_trade_is_a_success_whatever_became_of_it(
    changes: dict[str, str], outcome: Outcome, happened: str
) -> None:
    found = report(PAID | changes)
    assert (found.outcome, str(found.happened_at)) == (outcome, happened)


def test_a_trade_that_ran_out_of_time_is_closed() -> None:
    fields = {name: value for name, value in PAID.items() if name != "gmt_payment"}
    closed = {"trade_status": "TRADE_CLOSED", "gmt_close": "2026-11-22 08:45:00"}
    found = report(fields | closed)
    assert (found.outcome, str(found.happened_at)) == (
        Outcome.CLOSED,
        "2026-11-22 00:45:00+00:00",
    )
    assert report(fields | {"trade_status": "WAIT_BUYER_PAY"}).outcome is Outcome.PENDING


@pytest.mark.parametrize("status", ["TRADE_SUCCESS", "TRADE_CLOSED"])
def test_a_refund_notice_is_about_the_refund_and_states_no_amount_of_it(status: str) -> None:
    found = report(REFUNDED | {"trade_status": status})
    assert (found.outcome, found.refund_number, found.amount_minor) == (
        Outcome.SUCCEEDED,
        "REFUND1",
        None,
    )
    assert str(found.happened_at) == "2026-11-22 01:00:00.123000+00:00"


def test_a_refund_notice_that_names_no_refund_leaves_it_to_a_query() -> None:
    unnamed = {name: value for name, value in REFUNDED.items() if name != "out_biz_no"}
    assert read(unnamed).report is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"total_amount": "1e3"}, "total_amount is not an amount"),
        ({"total_amount": "-1.00"}, "total_amount is not an amount"),
        ({"total_amount": "８８.88"}, "total_amount is not an amount"),
        ({"total_amount": "NaN"}, "total_amount is not an amount"),
        ({"gmt_payment": "yesterday"}, "not a time"),
        ({"gmt_payment": "2026-13-01 00:00:00"}, "not a time"),
        ({"gmt_payment": "0001-01-01 00:00:00"}, "not a time"),
        ({"out_trade_no": ""}, "out_trade_no or trade_status is missing"),
        ({"app_id": ""}, "app_id or seller_id is missing"),
        ({"notify_id": ""}, "notify_id or notify_type is missing"),
    ],
)
def test_an_authentic_notice_that_cannot_be_read_is_refused(
    changes: dict[str, str], reason: str
) -> None:
    with pytest.raises(NoticeRejected, match=reason):
        read(PAID | changes)


def test_there_is_a_limit_on_everything() -> None:
    many = "&".join(f"f{number}=x" for number in range(wire.MOST_NOTICE_FIELDS + 1))
    with pytest.raises(NoticeRejected, match="more than 200 fields"):
        ACCOUNT.read_notice({}, many.encode(), now=NOW)
    with pytest.raises(NoticeRejected, match="more than 65536 bytes"):
        ACCOUNT.read_notice({}, b"a=" + b"x" * wire.LARGEST_NOTICE_BYTES, now=NOW)


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(changes=st.dictionaries(st.sampled_from(sorted(REFUNDED)) | text, text, max_size=6))
@settings(deadline=None)
def test_any_signed_fields_are_a_notice_or_rejected(changes: dict[str, str]) -> None:
    """Also what Alipay itself might send by mistake raises nothing else."""
    try:
        notice = read(REFUNDED | changes)
    except NoticeRejected:
        return
    assert notice.fields == REFUNDED | changes


@given(place=st.integers(min_value=0), octet=st.integers(0, 255))
@settings(deadline=None)
def test_any_changed_byte_is_noticed(place: int, octet: int) -> None:
    received = bytearray(body(PAID))
    received[place % len(received)] = octet
    try:
        notice = ACCOUNT.read_notice({}, bytes(received), now=NOW)
    except NoticeRejected:
        return
    assert notice.fields == PAID


@given(st.text(max_size=40) | st.from_regex(r'\{"[a-z_]+_response": ?\{.*\},"sign":"x"\}'))
@settings(deadline=None)
def test_any_answer_is_an_answer_or_unverifiable(answer: str) -> None:
    with pytest.raises(wire.AnswerUnverifiable):
        wire.read_answer(
            ACCOUNT.credentials.alipay, "alipay.trade.query", answer.encode("utf-8", "replace")
        )


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        "[]",
        "{" * 100_000,
        '{"alipay_trade_query_response":' + "[" * 100_000,
        '{"alipay_trade_query_response":{},"sign":NaN}',
        '{"alipay_trade_query_response":[],"sign":"x"}',
        '{"alipay_trade_query_response":{},"sign":1}',
        '{"alipay_trade_query_response":{},"alipay_trade_query_response":{},"sign":"x"}',
        '{"alipay_trade_query_response":{},"sign":"x"} and more',
        '{"alipay_trade_close_response":{"code":"10000"},"sign":"x"}',
        "<html>502 Bad Gateway</html>",
    ],
)
def test_what_is_not_an_answer_is_unverifiable(answer: str) -> None:
    with pytest.raises(wire.AnswerUnverifiable):
        wire.read_answer(ACCOUNT.credentials.alipay, "alipay.trade.query", answer.encode())
