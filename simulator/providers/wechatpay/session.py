"""GET /sns/jscode2session: a code of `wx.login` for an open id, which is a person within one app.

Every answer has HTTP status 200 and is called text/plain; what went wrong stands in `errcode`. A
code lives for five minutes and is good once.
"""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Mapping

from flask import Blueprint, Response, abort, jsonify, request

from simulator.clock import SimulatorClock
from simulator.providers.wechatpay.apps import MiniProgram
from simulator.providers.wechatpay.codes import LoginCodes, SignInRefused

SESSION_KEY_BYTES = 16
OPEN_ID_LENGTH = 27
DEFAULT_PERSON = "person-1"

PERSON = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
ERRORS = {
    40002: "invalid grant_type",
    40013: "invalid appid",
    40029: "invalid code",
    40125: "invalid appsecret",
    40163: "code been used",
    41008: "missing code",
}


class WechatSignIn:
    """The mini programs WeChat knows, and the codes their users agreed to."""

    def __init__(self, *, apps: Mapping[str, MiniProgram], clock: SimulatorClock) -> None:
        self.apps = apps
        self.codes = LoginCodes(clock)

    def exchange(self, asked: Mapping[str, str]) -> dict[str, object]:
        """Return the answer to a request's query. Raises SignInRefused."""
        app = self.apps.get(asked.get("appid", ""))
        if app is None:
            raise SignInRefused(40013)
        if not secrets.compare_digest(asked.get("secret", "").encode(), app.secret.encode()):
            raise SignInRefused(40125)
        if asked.get("grant_type") != "authorization_code":
            raise SignInRefused(40002)
        if not asked.get("js_code"):
            raise SignInRefused(41008)
        person = self.codes.take(asked["js_code"], app_id=app.app_id)
        session_key = base64.b64encode(secrets.token_bytes(SESSION_KEY_BYTES))
        return {
            "session_key": session_key.decode("ascii"),
            "openid": open_id(app.app_id, person),
            "unionid": open_id("union", person),
        }


def blueprint(wechat: WechatSignIn) -> Blueprint:
    """Return the route of the real address, and the one that plays the citizen who agrees."""
    routes = Blueprint("wechat_sign_in", __name__)

    @routes.get("/sns/jscode2session")
    def jscode2session() -> Response:
        try:
            answer = wechat.exchange(request.args)
        except SignInRefused as refused:
            said = f"{ERRORS[refused.errcode]}, rid: {secrets.token_hex(4)}"
            answer = {"errcode": refused.errcode, "errmsg": said}
        return Response(json.dumps(answer, separators=(",", ":")), content_type="text/plain")

    @routes.post("/control/wechat/codes")
    def log_in() -> tuple[Response, int]:
        given = request.get_json(silent=True) or {}
        app_id = str(given.get("app_id") or next(iter(wechat.apps), ""))
        person = str(given.get("person") or DEFAULT_PERSON)
        if app_id not in wechat.apps or not PERSON.fullmatch(person):
            abort(400, "give person (1-32 letters, digits, _ and -) and, with several apps, app_id")
        code = wechat.codes.issue(app_id=app_id, person=person)
        return jsonify(js_code=code, app_id=app_id, openid=open_id(app_id, person)), 201

    return routes


def open_id(app_id: str, person: str) -> str:
    """Return the 28 characters by which a person is known to one app, always the same."""
    digest = hashlib.sha256(f"{app_id} {person}".encode()).digest()
    return "o" + base64.urlsafe_b64encode(digest).decode("ascii")[:OPEN_ID_LENGTH]
