"""The exception tree. An error is a class with a stable code; HTTP status is decided by its kind.

QiantangError
├── Invalid           the request can never succeed as it stands
│   └── Unprocessable     it is well formed, and contradicts an earlier one
├── Unauthenticated   we do not know who is asking
├── Forbidden         we know, and they may not
├── NotFound          there is no such thing, or it is not theirs
├── Conflict          the state of the thing does not allow it
├── TooMany           a limit on rate or number was reached
└── Unavailable       try again later; nothing was decided
"""

from typing import ClassVar


class QiantangError(Exception):
    """Base of every error that may reach a caller.

    `code` is stable and appears in problem+json; `zh` and `en` are titles for people; `detail` says
    what was wrong with this input, in English, and holds no personal data or secret.
    """

    code: ClassVar[str] = "internal"
    zh: ClassVar[str] = "系统错误"
    en: ClassVar[str] = "Internal error"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.en)
        self.detail = detail


class Invalid(QiantangError):
    """The request can never succeed as it stands."""

    code = "invalid"
    zh = "请求不正确"
    en = "The request is not valid"


class Unprocessable(Invalid):
    """The request is well formed, and contradicts an earlier one."""

    code = "unprocessable"
    zh = "请求无法处理"
    en = "The request contradicts an earlier one"


class Unauthenticated(QiantangError):
    """We do not know who is asking."""

    code = "unauthenticated"
    zh = "请先登录"
    en = "Sign in first"


class Forbidden(QiantangError):
    """We know who is asking, and they may not."""

    code = "forbidden"
    zh = "没有权限"
    en = "This is not allowed"


class NotFound(QiantangError):
    """There is no such thing, or it is not theirs: the two look the same from outside."""

    code = "not-found"
    zh = "没有找到"
    en = "There is no such thing"


class Conflict(QiantangError):
    """The state of the thing does not allow it."""

    code = "conflict"
    zh = "当前状态不允许此操作"
    en = "The current state does not allow this"


class TooMany(QiantangError):
    """A limit on rate or number was reached; `retry_after_seconds` says when it ends, if known."""

    code = "too-many"
    zh = "请求过于频繁"
    en = "Too many requests"

    def __init__(self, detail: str = "", *, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(QiantangError):
    """Nothing was decided; try again later."""

    code = "unavailable"
    zh = "服务暂时不可用"
    en = "The service is unavailable for the moment"
