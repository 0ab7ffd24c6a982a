"""What marshmallow found wrong, as a list a front end can hang on its fields, in zh and en."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

LOCATIONS: Final = {
    "json": "body",
    "form": "body",
    "files": "body",
    "query": "query",
    "querystring": "query",
    "headers": "header",
    "path": "path",
    "view_args": "path",
}
MOST_REPORTED: Final = 100

# marshmallow's message → our stable code and the Chinese text; groups are carried over.
MESSAGES: Final[tuple[tuple[str, str, str], ...]] = (
    (r"Missing data for required field\.", "required", "必填"),
    (r"Field may not be null\.", "null", "不能为空"),
    (r"Unknown field\.", "unknown-field", "没有这个字段"),
    (r"Not a valid (?:utf-8 )?string\.", "not-a-string", "应为文本"),
    (r"Not a valid integer\.", "not-an-integer", "应为整数"),
    (r"Not a valid number\.", "not-a-number", "应为数字"),
    (r"Not a valid boolean\.", "not-a-boolean", "应为 true 或 false"),
    (r"Not a valid (?:naive |aware )?(?:datetime|time)\.", "not-a-time", "应为 ISO 8601 时间"),
    (r"Not a valid date\.", "not-a-date", "应为 ISO 8601 日期"),
    (r"Not a valid list\.", "not-a-list", "应为列表"),
    (
        r"(?:Not a valid mapping type|Invalid input type|Invalid type)\.",
        "not-an-object",
        "应为对象",
    ),
    (r"Must be one of: (.+)\.", "not-a-choice", "应为其中之一：{0}"),
    (r"Shorter than minimum length (\d+)\.", "too-short", "长度至少为 {0}"),
    (r"Longer than maximum length (\d+)\.", "too-long", "长度至多为 {0}"),
    (r"Length must be between (\d+) and (\d+)\.", "length", "长度应在 {0} 与 {1} 之间"),
    (r"Length must be (\d+)\.", "length", "长度应为 {0}"),
    (
        r"Must be greater than or equal to (\S+) and less than or equal to (\S+)\.",
        "out-of-range",
        "应在 {0} 与 {1} 之间",
    ),
    (r"Must be greater than or equal to (\S+)\.", "too-small", "不能小于 {0}"),
    (r"Must be less than or equal to (\S+)\.", "too-large", "不能大于 {0}"),
    (r"Must be greater than (\S+)\.", "too-small", "应大于 {0}"),
    (r"Must be less than (\S+)\.", "too-large", "应小于 {0}"),
    (r"Number too large\.", "too-large", "数值过大"),
    (r"String does not match expected pattern\.", "pattern", "格式不正确"),
)
_KNOWN: Final = tuple((re.compile(pattern), code, zh) for pattern, code, zh in MESSAGES)


def field_errors(messages: Mapping[str, Any], *, language: str) -> list[dict[str, str]]:
    """Flatten marshmallow's messages, each with the JSON pointer (RFC 6901) of its field."""
    found: list[dict[str, str]] = []
    for location, tree in messages.items():
        for path, message in _leaves(tree, ()):
            if len(found) == MOST_REPORTED:
                return found
            code, text = _said(message, language)
            found.append(
                {
                    "in": LOCATIONS.get(location, location),
                    "pointer": "#" + "".join(f"/{_escaped(step)}" for step in path),
                    "code": code,
                    "detail": text,
                }
            )
    return found


def _leaves(tree: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(tree, Mapping):
        for step, branch in tree.items():
            yield from _leaves(branch, path if step == "_schema" else (*path, str(step)))
    elif isinstance(tree, list):
        for message in tree:
            yield from _leaves(message, path)
    else:
        yield path, str(tree)


def _said(message: str, language: str) -> tuple[str, str]:
    for pattern, code, zh in _KNOWN:
        match = pattern.fullmatch(message)
        if match:
            return code, zh.format(*match.groups()) if language == "zh" else message
    return "invalid", message


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
