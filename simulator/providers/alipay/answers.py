"""The gateway's words: results, refusals, and the signed envelope around them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.keys import AlipayApp
from simulator.providers.alipay.signing import sign

Node = dict[str, object]

OAUTH_TOKEN = "alipay.system.oauth.token"  # noqa: S105  a method's name

MESSAGES = {
    "10000": "Success",
    "10003": "order success pay inprocess",
    "20000": "Service Currently Unavailable",
    "20001": "Insufficient Token Permissions",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
    "40006": "Insufficient Permissions",
}


@dataclass(kw_only=True)
class Refused(Exception):
    """A method or the gateway says no. `code` is the gateway's, `sub_code` says why."""

    code: str = "40004"
    sub_code: str
    sub_msg: str

    def node(self) -> Node:
        """Return the answer's node."""
        return {
            "code": self.code,
            "msg": MESSAGES[self.code],
            "sub_code": self.sub_code,
            "sub_msg": self.sub_msg,
        }


def success(**fields: object) -> Node:
    """Return the node of a method that went well; empty fields are left out, as Alipay does."""
    node: Node = {"code": "10000", "msg": MESSAGES["10000"]}
    return node | {name: value for name, value in fields.items() if value not in (None, "")}


def invalid(sub_msg: str) -> Refused:
    """Return the refusal of a business parameter."""
    return Refused(sub_code="ACQ.INVALID_PARAMETER", sub_msg=f"参数无效：{sub_msg}")


def raw_node(node: Mapping[str, object]) -> bytes:
    """Return a node's bytes; slashes are escaped, as the real gateway does."""
    return json.dumps(node, ensure_ascii=False, separators=(",", ":")).replace("/", r"\/").encode()


def signed(method: str, node: Mapping[str, object], app: AlipayApp, *, wrongly: bool) -> bytes:
    """Return the whole answer with the signature over the node as sent."""
    raw = raw_node(node)
    signature = sign(b"{}" if wrongly else raw, app.alipay_private_key)
    serial = f'"alipay_cert_sn":"{app.alipay_cert_sn}",' if app.alipay_cert_sn else ""
    key = f"{method.replace('.', '_')}_response"
    if method == OAUTH_TOKEN and "code" in node:
        key = "error_response"  # Where this old method puts its refusals.
    return b'{"%b":%b,%b"sign":"%b"}' % (
        key.encode("ascii"),
        raw,
        serial.encode("ascii"),
        signature.encode("ascii"),
    )


def unsigned(refused: Refused) -> bytes:
    """Return a failure of the gateway itself, which the real one does not sign either."""
    return b'{"error_response":%b}' % raw_node(refused.node())
