"""Every text exists in two languages; the request says which."""

from typing import Final, Literal

from flask import has_request_context, request

Language = Literal["zh", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
CONTENT_LANGUAGE: Final[dict[Language, str]] = {"zh": "zh-CN", "en": "en"}


def current_language() -> Language:
    """Return the request's preferred language; Chinese when it does not say."""
    if has_request_context() and request.accept_languages.best_match(LANGUAGES) == "en":
        return "en"
    return "zh"
