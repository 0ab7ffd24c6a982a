"""POST and GET /alipay/gateway.do: checked as strictly as the real one, and more talkative."""

import json
import socket
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request

from simulator.clock import moment_of
from simulator.keys import AlipayApp
from simulator.providers.alipay.answers import Node, Refused, signed, unsigned
from simulator.providers.alipay.faults import FaultName
from simulator.providers.alipay.methods import METHODS
from simulator.providers.alipay.signing import is_signed, request_content
from simulator.providers.alipay.world import Alipay, Call

CHARSETS = {"utf-8": "utf-8", "gbk": "gb18030", "gb2312": "gb18030"}
REQUIRED = {
    "app_id": "isv.missing-app-id",
    "method": "isv.missing-method",
    "sign": "isv.missing-signature",
    "sign_type": "isv.missing-signature-type",
    "timestamp": "isv.missing-timestamp",
    "version": "isv.missing-version",
}
DEFAULT_WINDOW = timedelta(hours=24)
SYSTEM_ERROR = Refused(code="20000", sub_code="isp.unknow-error", sub_msg="系统繁忙")


def blueprint(alipay: Alipay, *, window: timedelta = DEFAULT_WINDOW) -> Blueprint:
    """Return the gateway. `window` is how far a request's timestamp may be from now.

    It is a day by default because SDKs write the machine's local time without a zone.
    """
    gateway = Blueprint("alipay_gateway", __name__)

    @gateway.route("/alipay/gateway.do", methods=["GET", "POST"])
    def answer() -> Response:
        try:
            parameters = merged(request.query_string, request.get_data())
            app = authentic(alipay, parameters, window=window)
        except Refused as refused:
            return reply(unsigned(refused))
        base_url = request.host_url.rstrip("/")
        return carry_out(alipay, app, parameters, base_url=base_url)

    return gateway


def merged(query: bytes, body: bytes) -> dict[str, str]:
    """Return query and body as one: SDKs disagree on where they put the common parameters.

    Both are decoded with the charset that the request names. Raises Refused.
    """
    joined = b"&".join(part for part in (query, body) if part)
    try:
        named = dict(parse_qsl(joined.decode("ascii"), encoding="latin-1"))
        charset = CHARSETS[named.get("charset", "utf-8").lower()]
        pairs = parse_qsl(
            joined.decode("ascii"), keep_blank_values=True, encoding=charset, errors="strict"
        )
    except (KeyError, ValueError):
        raise Refused(code="40002", sub_code="isv.invalid-charset", sub_msg="字符集错误") from None
    return dict(pairs)


def authentic(alipay: Alipay, parameters: Mapping[str, str], *, window: timedelta) -> AlipayApp:
    """Return the application that signed the request. Raises Refused."""
    for name, sub_code in REQUIRED.items():
        if not parameters.get(name):
            raise Refused(code="40001", sub_code=sub_code, sub_msg=f"缺少 {name} 参数")
    app = alipay.apps.get(parameters["app_id"])
    if app is None:
        raise wrong("app-id", "无效的 AppID 参数")
    if parameters["sign_type"] != "RSA2":
        raise wrong("signature-type", "签名类型错误，此应用只接受 RSA2")
    content = request_content(parameters)
    charset = CHARSETS[parameters.get("charset", "utf-8").lower()]
    if not is_signed(content.encode(charset), parameters["sign"], app.app_public_key):
        raise wrong(
            "signature",
            "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，"
            f"网关生成的验签字符串为：{content}",
        )
    try:
        distance = abs(alipay.clock.now() - moment_of(parameters["timestamp"]))
    except ValueError:
        raise wrong("timestamp", "非法的时间戳参数，格式为 yyyy-MM-dd HH:mm:ss") from None
    if distance > window:
        raise wrong("timestamp", f"时间戳与网关时间相差 {distance}")
    for name in ("app_cert_sn", "alipay_root_cert_sn"):
        if (expected := getattr(app, name)) and parameters.get(name) != expected:
            raise wrong(name.replace("_", "-"), f"应为 {expected}")
    return app


def carry_out(
    alipay: Alipay, app: AlipayApp, parameters: Mapping[str, str], *, base_url: str
) -> Response:
    """Run the method as one step and answer, with whatever fault was asked for."""
    method = parameters["method"]
    number = ""
    try:
        content = business_content(parameters)
        number = str(content.get("out_trade_no", ""))
        node = result(
            Call(
                alipay=alipay,
                app=app,
                method=method,
                base_url=base_url,
                parameters=parameters,
                content=content,
            ),
            number=number,
        )
    except Refused as refused:
        node = refused.node()
    take = alipay.faults.take
    if take(FaultName.LOST_ANSWER, out_trade_no=number, method=method):
        return lost()
    wrongly = take(FaultName.BAD_ANSWER_SIGNATURE, out_trade_no=number, method=method)
    return reply(signed(method, node, app, wrongly=wrongly is not None))


def result(call: Call, *, number: str) -> Node:
    """Return the node of a method. Raises Refused."""
    alipay = call.alipay
    handler = METHODS.get(call.method)
    if handler is None:
        raise wrong("method", f"不存在的方法名 {call.method}")
    if alipay.faults.take(FaultName.SYSTEM_ERROR, out_trade_no=number, method=call.method):
        raise SYSTEM_ERROR
    alipay.expire()
    with alipay.trades.locked():
        node = handler(call)
    early = FaultName.NOTICE_BEFORE_ANSWER
    if alipay.faults.take(early, out_trade_no=number, method=call.method):
        alipay.hurry(call.app.app_id, out_trade_no=number)
    return node


def business_content(parameters: Mapping[str, str]) -> dict[str, object]:
    """Return biz_content parsed; methods without one have none. Raises Refused."""
    text = parameters.get("biz_content", "")
    if not text:
        return {}
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise wrong("json", "biz_content 不是合法的 JSON 对象")
    return content


def wrong(what: str, sub_msg: str) -> Refused:
    """Return the refusal of a common parameter."""
    return Refused(code="40002", sub_code=f"isv.invalid-{what}", sub_msg=sub_msg)


def reply(body: bytes) -> Response:
    """Return an answer; the gateway's HTTP status is 200 throughout."""
    return Response(body, content_type="text/html;charset=utf-8")


def lost() -> Response:
    """Cut the connection where the answer would have been; 504 where there is no connection."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return Response(status=504)
