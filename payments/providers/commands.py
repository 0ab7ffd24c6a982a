"""`flask provider …`: what a merchant's engineer needs when a signature does not match.

The commands need keys and files only: no database, no settings, no network.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, Protocol
from urllib.parse import parse_qsl

import click

from payments.kernel.clock import SystemClock
from payments.kernel.errors import QiantangError
from payments.providers.accounts import AccountFile
from payments.providers.alipay import workbench as alipay
from payments.providers.interface import Notice

LARGEST_FILE_BYTES: Final = 1024 * 1024


class Workbench(Protocol):
    """What a provider's folder offers to these commands."""

    def check_notice(
        self, directory: Path, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> Notice:
        """Verify and read a notice. Raises NoticeRejected."""

    def sign_request(self, directory: Path, parameters: Mapping[str, str]) -> tuple[str, str]:
        """Return the string to sign of a request's parameters, and its sign."""


WORKBENCHES: Final[Mapping[str, Workbench]] = MappingProxyType({"alipay": alipay})

_NAME = click.argument("name", metavar="PROVIDER", type=click.Choice(sorted(WORKBENCHES)))
_KEYS = click.option(
    "--keys",
    "directory",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Directory with an account file (*.toml), or with the key files alone.",
)


@click.group()
def provider() -> None:
    """Check what payment providers send and what is sent to them."""


@provider.command("verify-notice")
@_NAME
@_KEYS
@click.option(
    "--headers",
    type=click.File("rb"),
    help="The callback's headers, one `Name: value` a line, or - for standard input.",
)
@click.option(
    "--body",
    type=click.File("rb"),
    required=True,
    help="The callback's body exactly as it was received, or - for standard input.",
)
def verify_notice(*, name: str, directory: Path, headers: BinaryIO | None, body: BinaryIO) -> None:
    """Print a callback as JSON when it is authentic; else say why not and exit with 1.

    An authentic notice may still be another's: what differs from the account file is listed.
    """
    given = read_headers(headers) if headers else {}
    try:
        account = AccountFile.only(directory, provider=name)
        notice = WORKBENCHES[name].check_notice(
            directory, given, read(body), now=SystemClock().now()
        )
    except QiantangError as error:
        raise click.ClickException(error.detail or error.en) from None
    show(asdict(notice) | {"differs_from_account": differences(account, notice)})


@provider.command("sign")
@_NAME
@_KEYS
@click.option(
    "--parameters",
    type=click.File("rb"),
    required=True,
    help="The request's parameters as a JSON object of texts or an url-encoded form; - for stdin.",
)
def sign(*, name: str, directory: Path, parameters: BinaryIO) -> None:
    """Print the string to sign of a request and its signature as JSON.

    When the parameters hold a sign already, say whether it is the same.
    """
    given = read_parameters(parameters)
    try:
        text, signature = WORKBENCHES[name].sign_request(directory, given)
    except QiantangError as error:
        raise click.ClickException(error.detail or error.en) from None
    result: dict[str, object] = {"string_to_sign": text, "sign": signature}
    if "sign" in given:
        result["given_sign_is_the_same"] = given["sign"] == signature
    show(result)


def differences(account: AccountFile | None, notice: Notice) -> dict[str, object]:
    """Return app and seller as `{name: {account, notice}}` where the two name different ones."""
    if account is None or notice.report is None:
        return {}
    named = {"app_id": notice.report.app_id, "seller_id": notice.report.seller_id}
    return {
        name: {"account": account.text(name), "notice": told}
        for name, told in named.items()
        if account.has(name) and told is not None and account.text(name) != told
    }


def show(values: Mapping[str, object]) -> None:
    """Print values as JSON; moments as ISO 8601."""
    click.echo(json.dumps(values, ensure_ascii=False, indent=2, default=datetime.isoformat))


def read(file: BinaryIO) -> bytes:
    """Read a file of bounded size. Raises ClickException."""
    content = file.read(LARGEST_FILE_BYTES + 1)
    if len(content) > LARGEST_FILE_BYTES:
        raise click.ClickException(f"a file has more than {LARGEST_FILE_BYTES} bytes")
    return content


def read_headers(file: BinaryIO) -> dict[str, str]:
    """Read `Name: value` lines, with or without a request line first. Raises ClickException."""
    headers = {}
    for line in read(file).decode("latin-1").splitlines():
        name, colon, value = line.partition(":")
        if colon and " " not in name:
            headers[name] = value.strip()
    return headers


def read_parameters(file: BinaryIO) -> dict[str, str]:
    """Read a JSON object of texts or an url-encoded form. Raises ClickException."""
    try:
        text = read(file).decode("utf-8").strip()
        pairs = (
            json.loads(text).items()
            if text.startswith("{")
            else parse_qsl(text, keep_blank_values=True, strict_parsing=True)
        )
    except ValueError as error:
        raise click.ClickException(
            f"the parameters are neither a JSON object nor an url-encoded form: {error}"
        ) from None
    parameters = dict(pairs)
    for name, value in parameters.items():
        if not isinstance(value, str):
            raise click.ClickException(
                f"{name} is not a text: a signature covers its exact bytes, so quote it"
            )
    return parameters
