"""A small HTTP client that keeps its connections, as apps and machines have them.

It speaks JSON to addresses on this machine and knows nothing of what it asks for.
"""

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

TIMEOUT_SECONDS: Final = 30
TRIES: Final = 3

Signer = Callable[[str, str, Mapping[str, str], bytes], Mapping[str, str]]


class Refused(Exception):
    """The other side answered with an error; `code` is the stable one of problem+json."""

    def __init__(self, method: str, path: str, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        said = problem.get("detail") or problem.get("title") or problem.get("error") or ""
        super().__init__(f"{method} {path}: {status} {self.code} {said}".rstrip())


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the other side answered, its JSON parsed; None when it had no body."""

    status: int
    headers: Mapping[str, str]
    content: Any


class Client:
    """Talks to one address. Every thread has a connection of its own."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.scheme == "http", "the city lives on this machine"
        assert parts.hostname is not None
        self.url = url.rstrip("/")
        self._host, self._port = parts.hostname, parts.port or 80
        self._own = threading.local()

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Any:
        """Ask for something and return its JSON. Raises Refused."""
        return self.ask("GET", path, headers=headers).content

    def post(
        self, path: str, content: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Send something and return the JSON answered. Raises Refused."""
        return self.ask("POST", path, content, headers=headers).content

    def ask(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        sign: Signer | None = None,
    ) -> Answer:
        """Send a request, again when the connection was lost, and return the answer.

        What may be sent again must bear an Idempotency-Key. Raises Refused for an error, OSError
        when nobody answers.
        """
        body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
        sent = {"Accept": "application/json", **(headers or {})}
        if body:
            sent["Content-Type"] = "application/json"
        for left in reversed(range(TRIES)):
            fresh = dict(sign(method, f"{self.url}{path}", sent, body)) if sign else {}
            try:
                return self._exchange(method, path, body, {**sent, **fresh})
            except (http.client.HTTPException, OSError):
                self._drop()
                if not left:
                    raise
        raise AssertionError("every try returns or raises")

    def _exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = self._connection()
        connection.request(method, path, body=body or None, headers=dict(headers))
        response = connection.getresponse()
        raw = response.read()
        answered = {name.lower(): value for name, value in response.getheaders()}
        content = json.loads(raw) if raw and "json" in answered.get("content-type", "") else None
        if response.status >= http.client.BAD_REQUEST:
            problem = content if isinstance(content, dict) else {}
            raise Refused(method, path, response.status, problem)
        return Answer(status=response.status, headers=answered, content=content)

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
            self._own.connection = connection
        return connection

    def _drop(self) -> None:
        connection: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is not None:
            connection.close()
            self._own.connection = None
