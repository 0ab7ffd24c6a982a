"""What a merchant's engineer asks when a signature does not match: check a notice, sign a request.

It works on a directory of keys alone; nothing is sent and nothing is stored.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from payments.kernel.errors import Invalid
from payments.providers.accounts import AccountFile
from payments.providers.alipay import keys, reports, signing, wire
from payments.providers.interface import Notice


class ParametersInvalid(Invalid):
    """These parameters cannot be signed."""

    code = "parameters-invalid"


def check_notice(
    directory: Path, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> Notice:
    """Verify and read a notice. Raises NoticeRejected, whose `detail` says what to look at."""
    del headers, now
    account = AccountFile.only(directory, provider="alipay") or keys.in_directory(
        directory, "alipay_public_key", "alipay_cert"
    )
    alipay = keys.load_alipay_key(account)
    try:
        return reports.of_notice(alipay, body.rstrip(b"\r\n"))
    except wire.NoticeNotSigned as rejected:
        hint = ""
        if account.has("app_private_key") and _is_own_key(account, alipay):
            hint = f"; {alipay.name} is the app's own public key, and Alipay's is needed"
        computed = rejected.computed.encode("unicode_escape").decode("ascii")
        if rejected.computed.isprintable():
            computed = rejected.computed
        raise wire.NoticeNotSigned(
            f"{rejected.detail}{hint}; the string computed was: {computed}",
            computed=rejected.computed,
        ) from None


def sign_request(directory: Path, parameters: Mapping[str, str]) -> tuple[str, str]:
    """Return the string to sign of a request's parameters, and its sign.

    Raises ParametersInvalid and AccountInvalid.
    """
    if parameters.get("sign_type", signing.SIGN_TYPE) != signing.SIGN_TYPE:
        raise ParametersInvalid(f"sign_type is not {signing.SIGN_TYPE}, the only one used")
    codec = wire.CODECS.get(parameters.get("charset", wire.CHARSET).lower())
    if codec is None:
        raise ParametersInvalid(f"charset is none of {', '.join(wire.CODECS)}")
    account = AccountFile.only(directory, provider="alipay") or keys.in_directory(
        directory, "app_private_key"
    )
    key = keys.load_app_key(account)
    text = signing.request_content(parameters)
    return text, signing.sign(text.encode(codec), key)


def _is_own_key(account: AccountFile, alipay: wire.AlipayKey) -> bool:
    own = keys.load_app_key(account).public_key()
    return own.public_numbers() == alipay.key.public_numbers()
