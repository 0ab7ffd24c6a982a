"""Headers that every answer carries unless its view decided otherwise."""

from typing import Final

from flask import Response

from services.host.platform import current_platform

# OWASP REST security cheat sheet: nothing we answer is a page, a frame or a script.
HEADERS: Final = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
TRANSPORT_SECURITY: Final = "max-age=31536000; includeSubDomains"


def add_headers(response: Response) -> Response:
    """Add what is missing; `Cache-Control: no-store` unless the view says how long to keep it."""
    present = {name.lower() for name, _ in response.headers}
    for name, value in HEADERS:
        if name.lower() not in present:
            response.headers.add(name, value)
    if current_platform().settings.production:
        response.headers["Strict-Transport-Security"] = TRANSPORT_SECURITY
    return response
