"""The commands as an engineer runs them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from payments.providers.commands import provider
from tests.vectors import vectors

PAID = vectors()["alipay_notify"][0]
REQUEST = vectors()["alipay_request"][0]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A directory with the vectors' keys under their customary names."""
    directory = tmp_path / "keys"
    directory.mkdir()
    given = vectors()["keys"]
    (directory / "alipay_public_key.pem").write_text(given["alipay_platform.pub"])
    (directory / "app_private_key.pem").write_text(given["alipay_app"])
    return directory


def run(*arguments: str | Path, stdin: str = "") -> Result:
    return CliRunner().invoke(provider, [str(word) for word in arguments], input=stdin)


def verify(keys: Path, body: str, *more: str) -> Result:
    return run("verify-notice", "alipay", "--keys", keys, "--body", "-", *more, stdin=body)


def test_an_authentic_notice_is_printed(keys: Path, tmp_path: Path) -> None:
    body, headers = tmp_path / "body", tmp_path / "headers"
    body.write_text(PAID["raw_body"] + "\n")
    headers.write_text(
        "POST /callbacks HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n"
    )
    done = run("verify-notice", "alipay", "--keys", keys, "--headers", headers, "--body", body)
    assert done.exit_code == 0, done.output
    notice = json.loads(done.stdout)
    assert notice["report"]["amount_minor"] == 8888
    assert notice["fields"]["subject"] == "地铁票款 100% +&=测试"


def test_a_tampered_notice_names_the_key_and_the_string(keys: Path) -> None:
    done = verify(keys, PAID["raw_body"].replace("88.88", "88.89"))
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert (
        "sign does not verify with alipay_public_key.pem; the string computed was:" in done.stderr
    )
    assert "total_amount=88.89&trade_no=" in done.stderr


def test_the_commonest_mistake_is_named(keys: Path) -> None:
    own = vectors()["keys"]["alipay_app.pub"]
    (keys / "alipay_public_key.pem").write_text(own)
    done = verify(keys, PAID["raw_body"])
    assert (
        "alipay_public_key.pem is the app's own public key, and Alipay's is needed" in done.stderr
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not an url-encoded form"),
        ('{"sign":"x"}', "not an url-encoded form"),
        ("a=1&b=2", "there is no sign"),
        ("a=1&a=2&sign=x", "a field appears twice"),
        ("a=1&sign=x&sign_type=RSA", "sign_type is not RSA2"),
        ("a=1&sign=x&charset=ebcdic", "charset is not one that Alipay uses"),
        ("a=%FF&sign=x", "not in the charset the notice names"),
        ("a=1%0A2&sign=x y", "it holds spaces"),
    ],
)
def test_each_reason_is_one_line(keys: Path, body: str, reason: str) -> None:
    done = verify(keys, body)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert reason in done.stderr


def test_a_directory_without_keys_says_what_to_put_there(tmp_path: Path) -> None:
    done = verify(tmp_path, PAID["raw_body"])
    assert done.exit_code == 1
    assert "put an alipay account file (*.toml) here, or one of alipay_public_key.*" in done.stderr


def test_a_notice_for_another_app_or_seller_is_seen(keys: Path) -> None:
    account = keys / "alipay-main.toml"
    facts = 'provider = "alipay"\nalipay_public_key = "alipay_public_key.pem"\n'
    account.write_text(f'{facts}app_id = "2021000000000001"\nseller_id = "2088000000000009"\n')
    notice = json.loads(verify(keys, PAID["raw_body"]).stdout)
    assert notice["differs_from_account"] == {
        "seller_id": {"account": "2088000000000009", "notice": "2088000000000002"}
    }


def test_an_account_file_names_the_keys(keys: Path) -> None:
    (keys / "alipay_public_key.pem").rename(keys / "theirs.txt")
    account = keys / "alipay-main.toml"
    account.write_text('provider = "alipay"\nalipay_public_key = "theirs.txt"\n')
    assert verify(keys, PAID["raw_body"]).exit_code == 0
    account.write_text('provider = "alipay"\nalipay_public_key = "gone.txt"\n')
    assert "which cannot be read" in verify(keys, PAID["raw_body"]).stderr
    (keys / "second.toml").write_text('provider = "alipay"\n')
    assert "leave one alipay account here" in verify(keys, PAID["raw_body"]).stderr


@pytest.mark.parametrize("as_form", [False, True], ids=["json", "form"])
def test_a_request_is_signed(keys: Path, *, as_form: bool) -> None:
    given: dict[str, Any] = REQUEST["params"] | {"sign": REQUEST["sign"]}
    text = REQUEST["signed_query_string"] if as_form else json.dumps(given)
    done = run("sign", "alipay", "--keys", keys, "--parameters", "-", stdin=text)
    assert json.loads(done.stdout) == {
        "string_to_sign": REQUEST["string_to_sign"],
        "sign": REQUEST["sign"],
        "given_sign_is_the_same": True,
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"biz_content": {"a": 1}}', "biz_content is not a text"),
        ("[1]", "neither a JSON object nor an url-encoded form"),
        ('{"sign_type": "RSA"}', "sign_type is not RSA2"),
        ('{"charset": "ebcdic"}', "charset is none of"),
    ],
)
def test_what_cannot_be_signed_is_said(keys: Path, text: str, reason: str) -> None:
    done = run("sign", "alipay", "--keys", keys, "--parameters", "-", stdin=text)
    assert done.exit_code == 1
    assert reason in done.stderr


def test_flask_offers_the_commands_without_an_application(keys: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("flask"),
            *("provider", "verify-notice", "alipay", "--keys", keys, "--body", "-"),
        ],
        input=PAID["raw_body"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["notice_id"] == PAID["form"]["notify_id"]
