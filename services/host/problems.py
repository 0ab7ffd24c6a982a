"""What the host itself can find wrong with a request; the rest is raised where it is decided."""

from typing import ClassVar, Final

from payments.kernel import errors
from payments.kernel.errors import QiantangError

STATUS_OF_KIND: Final[dict[type[QiantangError], int]] = {
    errors.Unprocessable: 422,
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
INTERNAL_STATUS: Final = 500


class RequestProblem(QiantangError):
    """The request is wrong as HTTP, whatever it asks for; `status` is its own."""

    code = "bad-request"
    zh = "请求格式不正确"
    en = "The request is malformed"
    status: ClassVar[int] = 400


class JsonMalformed(RequestProblem):
    """The body is not JSON as RFC 8259 has it, in UTF-8."""

    code = "json-malformed"
    zh = "请求体不是合法的 JSON"
    en = "The body is not valid JSON"


class JsonTooDeep(RequestProblem):
    """The body nests further than anything we accept."""

    code = "json-too-deep"
    zh = "JSON 嵌套层数过多"
    en = "The JSON is nested too deeply"


class ValueNotStorable(RequestProblem):
    """A value passed the schema and does not fit what stores it."""

    code = "value-not-storable"
    zh = "数值超出范围"
    en = "A value is out of range"


class CursorInvalid(RequestProblem):
    """A page cursor that we did not give out for this list."""

    code = "cursor-invalid"
    zh = "分页游标无效"
    en = "The page cursor is not valid"


class IdempotencyKeyMissing(RequestProblem):
    """An unsafe operation without its Idempotency-Key."""

    code = "idempotency-key-missing"
    zh = "缺少 Idempotency-Key 请求头"
    en = "The Idempotency-Key header is missing"


class RouteNotFound(RequestProblem):
    """No such address."""

    code = "route-not-found"
    zh = "没有这个地址"
    en = "There is no such address"
    status = 404


class MethodNotAllowed(RequestProblem):
    """The address exists and does not take this method; the Allow header lists those it takes."""

    code = "method-not-allowed"
    zh = "该地址不支持此方法"
    en = "The address does not take this method"
    status = 405


class NotAcceptable(RequestProblem):
    """We cannot answer in a form the caller accepts."""

    code = "not-acceptable"
    zh = "无法提供所要求的格式"
    en = "The answer does not exist in an acceptable form"
    status = 406


class BodyTooLarge(RequestProblem):
    """The body exceeds the route's limit."""

    code = "body-too-large"
    zh = "请求体过大"
    en = "The body is too large"
    status = 413


class MediaTypeUnsupported(RequestProblem):
    """The body is not of the type the route reads."""

    code = "media-type-unsupported"
    zh = "不支持的请求体类型"
    en = "The type of the body is not supported"
    status = 415


class ValidationFailed(RequestProblem):
    """Fields do not match the schema; `errors` points at each."""

    code = "validation-failed"
    zh = "字段校验失败"
    en = "Some fields are not valid"
    status = 422


class DatabaseUnavailable(errors.Unavailable):
    """The database cannot be reached or is overloaded; nothing was decided."""


class Busy(errors.Unavailable):
    """A lock or a statement took too long, or two transactions collided; nothing was decided."""

    code = "busy"
    zh = "系统繁忙，请稍后重试"
    en = "The system is busy; try again"


def status_of(kind: type[QiantangError]) -> int:
    """Return the HTTP status of an error, decided by its kind."""
    if issubclass(kind, RequestProblem):
        return kind.status
    for ancestor in kind.__mro__:
        if ancestor in STATUS_OF_KIND:
            return STATUS_OF_KIND[ancestor]
    return INTERNAL_STATUS
