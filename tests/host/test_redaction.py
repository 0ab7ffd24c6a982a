import json
import logging
from typing import Any

import pytest

from services.host.logs import logger, write_logs
from services.host.redaction import REDACTED, redacted

TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjaXRfMSJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {TOKEN}",
        f"token {TOKEN} expired",
        "call 13812345678 now",
        "call +86 138-1234-5678 now",
        "ID 11010519491231002X belongs to him",
        "ID 330106199001011234",
        "postgresql://runtime:hunter2@db/qiantang",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ",
        "violates\nDETAIL:  Failing row contains (张三, 7).\nCONTEXT",
    ],
)
def test_the_shape_gives_it_away(text: str) -> None:
    shown = redacted(text)
    assert REDACTED in shown
    for secret in (TOKEN, "1381234", "1949", "1990", "hunter2", "MIIEvQ", "张三"):
        assert secret not in shown


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "refresh_token", "password", "phone", "mobile_number", "id_number"),
        *("real_name", "secret", "private_key", "api_key", "Cookie", "idempotency-key"),
    ],
)
def test_the_name_gives_it_away(name: str) -> None:
    assert redacted({"outer": [{name: "anything"}]}) == {"outer": [{name: REDACTED}]}


def test_ordinary_things_are_left_alone() -> None:
    ordinary = {
        "order_id": "ord_HZMTRO01JD3Q8Z5W13812345678V6T4R2P",
        "trade": "2026112322001413812345678901",
        "amount_minor": 13_812_345_678,
        "path": "/v1/transit/orders",
        "key_id": "2026a",
        "problem": "conflict",
        "ok": True,
    }
    assert redacted(ordinary) == ordinary


def test_bytes_and_depths_are_only_measured() -> None:
    deep: Any = "bottom"
    for _ in range(20):
        deep = [deep]
    assert "bottom" not in json.dumps(redacted(deep))
    assert redacted(b"123") == "[3 bytes]"


def test_libraries_are_redacted_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("INFO")
    logging.getLogger("some.library").warning("user 13812345678 with %s", TOKEN)
    try:
        int("no 13912345678")
    except ValueError:
        logger("tests").exception("failed", token="abc", phone="13712345678")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["user [redacted] with [redacted]", "failed"]
    assert "base 10: 'no [redacted]'" in lines[1]["exception"]
    assert lines[1]["token"] == lines[1]["phone"] == REDACTED
