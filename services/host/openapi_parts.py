"""The parts of the OpenAPI document that are the same for every operation: data, no code."""

from typing import Any, Final

from services.host.errors import CONTENT_TYPE
from services.host.languages import CONTENT_LANGUAGE

INFORMATION: Final[dict[str, Any]] = {
    "description": (
        "The services of a city, for front ends, merchants, devices and payment providers.\n\n"
        "- Amounts are integers in fen; their names end in `_minor`.\n"
        "- Times are RFC 3339 in UTC; dates are Shanghai's.\n"
        "- Ids are opaque texts.\n"
        "- Operations that change something take an `Idempotency-Key`; send the same key again"
        " when no answer came.\n"
        "- Lists come in pages; pass `next_cursor` as `cursor` until it is null.\n"
        "- Errors are `application/problem+json` (RFC 9457); decide by `code`, show `title`,"
        " which follows `Accept-Language` (zh, en).\n"
        "- Answers may gain members; ignore those you do not know."
    ),
}

# Kind of principal → tag and its description; tags are listed in this order.
AUDIENCES: Final[dict[str, tuple[str, str]]] = {
    "public": ("Everybody", "No sign-in needed."),
    "citizen": ("Citizens", "Mini-program and app front ends, with an access token."),
    "merchant": ("Merchants", "Merchants' servers, with signed requests."),
    "device": ("Devices", "Gates, kiosks and gantries, with signed requests."),
    "staff": ("Staff", "Finance clerks and service staff, with an access token and a role."),
    "provider": ("Providers", "Callbacks of payment providers, in the providers' own formats."),
}

SECURITY_OF_KIND: Final[dict[str, str]] = {
    "citizen": "bearer",
    "staff": "bearer",
    "merchant": "signature",
    "device": "signature",
}
SECURITY_SCHEMES: Final[dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token of a session (RFC 6750).",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature-Input",
        "description": (
            "HTTP Message Signatures (RFC 9421) with Ed25519: `Signature-Input` and `Signature`"
            " over `@method`, `@target-uri`, `idempotency-key` where there is one and, with a body,"
            " `content-digest` (RFC 9530),"
            " with `created`, `nonce` and `keyid`. A signature is taken once, within five minutes."
        ),
    },
}

PARAMETERS: Final[dict[str, Any]] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": (
            "A text of your own choice, new for every intention and the same for every repetition"
            " of it; a random UUID does well. The same key with another body is refused with 422."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        "example": "f81d4fae-7dec-4d0a-a765-00a0c91e6bf6",
    },
    "X-Acting-For": {
        "name": "X-Acting-For",
        "in": "header",
        "description": "For whom a signed-in guardian asks; leave out for oneself.",
        "schema": {"type": "string", "pattern": "^cit_[0-9A-HJKMNP-TV-Z]{26}$"},
        "example": "cit_01JD3Q8Z5W7V6T4R2P0N8M6K4H",
    },
}

RESPONSE_HEADERS: Final[dict[str, Any]] = {
    "X-Request-Id": {
        "description": "Names this request in our logs; yours if you sent a well-formed one.",
        "schema": {"type": "string"},
        "example": "req_01JD3Q8Z5W7V6T4R2P0N8M6K4H",
    },
    "Idempotent-Replayed": {
        "description": "`true` when the answer is the stored one of an earlier request.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "integer"},
        "example": 2,
    },
}

# Status → component name and description.
ERROR_RESPONSES: Final[dict[int, tuple[str, str]]] = {
    400: ("BadRequest", "The request can never succeed as it stands."),
    401: ("Unauthenticated", "Sign in, or sign the request."),
    403: ("Forbidden", "Somebody else may, you may not."),
    404: ("NotFound", "There is no such thing, or it is not yours."),
    409: ("Conflict", "The state of the thing does not allow it, or the same key is being used."),
    413: ("BodyTooLarge", "The body is larger than this operation takes."),
    415: ("MediaTypeUnsupported", "Send the body as application/json."),
    422: ("ValidationFailed", "`errors` points at the fields; or the key was used otherwise."),
    429: ("TooMany", "A limit was reached; wait as Retry-After says."),
    500: ("Internal", "Our mistake; `request_id` helps us to find it."),
    503: ("Unavailable", "Nothing was decided; try again as Retry-After says, with the same key."),
}
EXAMPLES: Final[dict[int, tuple[str, str]]] = {
    400: ("json-malformed", "请求体不是合法的 JSON"),
    401: ("unauthenticated", "请先登录"),
    403: ("forbidden", "没有权限"),
    404: ("not-found", "没有找到"),
    409: ("conflict", "当前状态不允许此操作"),
    413: ("body-too-large", "请求体过大"),
    415: ("media-type-unsupported", "不支持的请求体类型"),
    422: ("validation-failed", "字段校验失败"),
    429: ("too-many", "请求过于频繁"),
    500: ("internal", "系统错误"),
    503: ("unavailable", "服务暂时不可用"),
}
FIELD_EXAMPLE: Final = {"in": "body", "pointer": "#/quantity", "code": "required", "detail": "必填"}
WAITING: Final = frozenset({429, 503})

PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "code", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "`urn:qiantang:problem:<code>`"},
        "title": {"type": "string", "description": "For people, in the language asked for."},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string", "description": "What was wrong this time, for developers."},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "One entry for every field that is not valid.",
            "items": {
                "type": "object",
                "required": ["in", "pointer", "code", "detail"],
                "properties": {
                    "in": {"type": "string", "enum": ["body", "query", "path", "header"]},
                    "pointer": {"type": "string", "description": "JSON pointer as a fragment."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def error_response(status: int, description: str) -> dict[str, Any]:
    """Return the reusable answer for an error status, with its example."""
    code, title = EXAMPLES[status]
    example: dict[str, Any] = {
        "type": f"urn:qiantang:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "instance": "/v1/transit/orders",
        "request_id": RESPONSE_HEADERS["X-Request-Id"]["example"],
    }
    if code == "validation-failed":
        example["errors"] = [FIELD_EXAMPLE]
    names = ["X-Request-Id", *(["Retry-After"] if status in WAITING else [])]
    headers: dict[str, Any] = {
        name: {"$ref": f"#/components/headers/{name.replace('-', '')}"} for name in names
    }
    headers["Content-Language"] = {
        "schema": {"type": "string", "enum": sorted(CONTENT_LANGUAGE.values())}
    }
    return {
        "description": description,
        "headers": headers,
        "content": {
            CONTENT_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": example,
            }
        },
    }


def any_error_response() -> dict[str, Any]:
    """Return the answer of whatever else may go wrong; it has the same shape."""
    return {
        "description": "Any other error; decide by `code`.",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
