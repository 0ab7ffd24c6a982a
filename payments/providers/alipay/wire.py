"""Alipay's wire: requests as bytes, answers and notices as verified fields.

An answer's sign covers the raw bytes of its node, so the node is cut out as it was sent and never
written again. A notice's values are decoded once, as bytes, and verified before anything is read.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, NoReturn
from urllib.parse import unquote_to_bytes, urlencode

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from payments.kernel.clock import BUSINESS_ZONE
from payments.providers.alipay import signing
from payments.providers.interface import NoticeRejected

CHARSET: Final = "utf-8"
TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
LARGEST_NOTICE_BYTES: Final = 64 * 1024
MOST_NOTICE_FIELDS: Final = 200

# What Alipay may say in `charset`, and the codec that reads it.
CODECS: Final = {"utf-8": "utf-8", "gbk": "gb18030", "gb2312": "gb18030"}

_SPACE: Final = " \t\n\r"
# The sign covers `name=value` joined by `&`: a name that held these could hide a field before it.
_NAME: Final = re.compile(rb"[^=&]+")
_TIME: Final = re.compile(r"2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class AlipayKey:
    """Alipay's public key, the file it came from, and in certificate mode its serial number."""

    key: RSAPublicKey
    name: str
    cert_sn: str = ""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who we are at Alipay, and how either side is known to the other; loaded once.

    The serial numbers are empty in public-key mode and all present in certificate mode.
    """

    app_id: str
    app_key: RSAPrivateKey
    alipay: AlipayKey
    app_cert_sn: str = ""
    alipay_root_cert_sn: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The verified node of a synchronous answer."""

    code: str
    sub_code: str
    fields: Mapping[str, Any]

    @property
    def reason(self) -> str:
        """Alipay's code, and what it says beneath."""
        return f"{self.code} {self.sub_code}".strip()

    def text(self, name: str) -> str:
        """Return a field that is a text, empty when it is absent or something else."""
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else ""


class AnswerUnverifiable(Exception):
    """Nothing may be concluded from an answer; the outcome is unknown until a query settles it."""


class NoticeNotSigned(NoticeRejected):
    """A notice's sign does not verify. `computed` is the string our side computed.

    It may name a payer, so it is for the person who asks, never for a log.
    """

    def __init__(self, detail: str, *, computed: str) -> None:
        super().__init__(detail)
        self.computed = computed


def signed_parameters(
    credentials: Credentials,
    method: str,
    content: Mapping[str, object],
    *,
    now: datetime,
    notify_url: str = "",
    beside: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Return a request's parameters with `sign` last; empty ones are left out.

    `beside` are the parameters of the few methods that put theirs beside `biz_content`.
    """
    parameters = {
        "app_id": credentials.app_id,
        "method": method,
        "format": "JSON",
        "charset": CHARSET,
        "sign_type": signing.SIGN_TYPE,
        "timestamp": format_time(now),
        "version": "1.0",
        "notify_url": notify_url,
        "app_cert_sn": credentials.app_cert_sn,
        "alipay_root_cert_sn": credentials.alipay_root_cert_sn,
        "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        **beside,
    }
    given = {name: value for name, value in parameters.items() if value}
    text = signing.request_content(given)
    return given | {"sign": signing.sign(text.encode(CHARSET), credentials.app_key)}


def query_and_body(parameters: Mapping[str, str]) -> tuple[str, bytes]:
    """Return a request's query and form body.

    The common parameters go into the query, as the official SDKs put them, because the gateway
    decodes the body by the `charset` it finds there.
    """
    common = {name: value for name, value in parameters.items() if name != "biz_content"}
    body = urlencode({"biz_content": parameters["biz_content"]})
    return urlencode(common), body.encode("ascii")


def read_answer(alipay: AlipayKey, method: str, body: bytes) -> Answer:
    """Return the verified node of an answer. Raises AnswerUnverifiable."""
    key = f"{method.replace('.', '_')}_response"
    try:
        raw = _members(body.decode(CHARSET))
        members = {name: json.loads(text, parse_float=Decimal) for name, text in raw.items()}
    except (ValueError, RecursionError):
        raise AnswerUnverifiable("not a JSON object") from None
    named = key if key in raw else "error_response"
    node, signature = members.get(named), members.get("sign")
    if not isinstance(node, dict):
        raise AnswerUnverifiable(f"no {key}")
    code, sub_code = str(node.get("code", "")), str(node.get("sub_code", ""))
    if not isinstance(signature, str):
        raise AnswerUnverifiable(f"unsigned {named}: {code[:8]} {sub_code[:64]}".rstrip())
    if alipay.cert_sn and members.get("alipay_cert_sn") != alipay.cert_sn:
        raise AnswerUnverifiable("signed with another certificate than ours of Alipay")
    if not signing.is_signed(raw[named].encode(CHARSET), signature, alipay.key):
        raise AnswerUnverifiable(f"sign does not verify with {alipay.name}")
    return Answer(code=code, sub_code=sub_code, fields=node)


def read_notice(alipay: AlipayKey, body: bytes) -> dict[str, str]:
    """Return the fields of an authentic notice, without its sign. Raises NoticeRejected."""
    pairs = _pairs(body)
    codec = CODECS.get(pairs.get(b"charset", b"utf-8").decode("ascii", "replace").lower())
    if codec is None:
        raise NoticeRejected("charset is not one that Alipay uses")
    try:
        fields = {name.decode(codec): value.decode(codec) for name, value in pairs.items()}
    except UnicodeDecodeError:
        raise NoticeRejected("the values are not in the charset the notice names") from None
    signature = fields.pop("sign", "")
    if not signature:
        raise NoticeRejected("there is no sign")
    if fields.pop("sign_type", signing.SIGN_TYPE) != signing.SIGN_TYPE:
        raise NoticeRejected(f"sign_type is not {signing.SIGN_TYPE}, the only one accepted")
    for without in signing.NOTICE_RULES:
        content = signing.notice_content(pairs.items(), without=without)
        if signing.is_signed(content, signature, alipay.key):
            return fields
    reason = f"sign does not verify with {alipay.name}"
    if " " in signature:
        reason += "; it holds spaces, so the body was decoded twice or its + were not escaped"
    first = signing.notice_content(pairs.items(), without=signing.NOTICE_RULES[0])
    raise NoticeNotSigned(reason, computed=first.decode(codec))


def format_time(moment: datetime) -> str:
    """Return a moment as Alipay writes it: Beijing time to the second."""
    return moment.astimezone(BUSINESS_ZONE).strftime(TIME_FORMAT)


def parse_time(text: str) -> datetime:
    """Return the moment a time of Alipay's names; some carry milliseconds. Raises ValueError."""
    if not _TIME.fullmatch(text):
        raise ValueError("not a time as Alipay writes it")
    return datetime.fromisoformat(text).replace(tzinfo=BUSINESS_ZONE).astimezone(UTC)


def _pairs(body: bytes) -> dict[bytes, bytes]:
    """Split a form and decode it once. Raises NoticeRejected."""
    if len(body) > LARGEST_NOTICE_BYTES:
        raise NoticeRejected(f"the body has more than {LARGEST_NOTICE_BYTES} bytes")
    parts = [part.partition(b"=") for part in body.split(b"&")]
    if len(parts) > MOST_NOTICE_FIELDS:
        raise NoticeRejected(f"there are more than {MOST_NOTICE_FIELDS} fields")
    pairs: dict[bytes, bytes] = {}
    for name, equals, value in parts:
        decoded = _unquoted(name)
        if not equals or not _NAME.fullmatch(decoded):
            raise NoticeRejected("the body is not an url-encoded form")
        if decoded in pairs:
            raise NoticeRejected("a field appears twice")
        pairs[decoded] = _unquoted(value)
    return pairs


def _unquoted(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def _members(text: str) -> dict[str, str]:
    """Return the raw text of each member of a JSON object. Raises ValueError.

    `json` finds the ends, so a brace or a quote inside a string is no end.
    """
    decode = json.JSONDecoder(parse_constant=_no_constant).raw_decode
    members: dict[str, str] = {}
    at = _expect(text, 0, "{")
    while True:
        name, end = decode(text, _skip(text, at))
        start = _skip(text, _expect(text, end, ":"))
        _, end = decode(text, start)
        if not isinstance(name, str) or name in members:
            raise ValueError("a member without a name, or twice")
        members[name] = text[start:end]
        at = _skip(text, end)
        if text[at : at + 1] != ",":
            break
        at += 1
    if text[_expect(text, at, "}") :].strip(_SPACE):
        raise ValueError("something follows the object")
    return members


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def _expect(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"{mark} expected")
    return at + 1


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
