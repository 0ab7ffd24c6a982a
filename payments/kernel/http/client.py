"""The client for peers we chose ourselves, and what a request can come to."""

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, urlsplit

import requests
import structlog
import tenacity
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from payments.kernel.clock import monotonic_seconds
from payments.kernel.errors import Invalid, Unavailable
from payments.kernel.http.connections import Watch, watched

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 10.0  # The longest silence of the peer.
DEADLINE_SECONDS: Final = 20.0  # All tries together; name resolution takes the system's own time.
BODY_BYTES: Final = 1 << 20
CHUNK_BYTES: Final = 1 << 16
TRIES: Final = 3
WAIT_SECONDS: Final = 0.2
LONGEST_WAIT_SECONDS: Final = 2.0
RETRIED_STATUSES: Final = frozenset({502, 503, 504})
USER_AGENT: Final = "Qiantang/1"

_log = structlog.get_logger()


class HttpFailure(Unavailable):
    """There is no answer. `sent` tells whether the request may have reached the peer.

    `sent` is False only when not one byte of it was handed to the network, in any of its tries.
    """

    code = "peer-unavailable"
    zh = "对方系统暂时无法访问"
    en = "The other system cannot be reached for the moment"

    def __init__(self, detail: str, *, sent: bool) -> None:
        super().__init__(detail)
        self.sent = sent


class AddressRefused(Invalid):
    """We do not send requests to this address."""

    code = "address-refused"
    zh = "不允许访问该地址"
    en = "We do not send requests to this address"


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """What the peer answered, whatever its status. Header names are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Requests to peers we chose ourselves, such as payment providers. One per process.

    `authorities` is a file of certificates trusted instead of the public ones.
    """

    def __init__(
        self, *, authorities: Path | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._verify: bool | str = str(authorities) if authorities else True
        self._sleep = sleep
        self.plain = watched(HTTPAdapter())

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        repeatable: bool = False,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
        body_limit: int = BODY_BYTES,
        cut: bool = False,
    ) -> HttpAnswer:
        """Send one request and return the answer, of whatever status. Raises HttpFailure.

        A `repeatable` request, one whose repetition changes nothing, is tried up to TRIES times on
        failure and on 502, 503, 504; any other is tried once. A body beyond `body_limit` bytes is a
        failure, unless `cut` says that its beginning will do, and so is a compressed one.
        """
        given = {"User-Agent": USER_AGENT, **(headers or {}), "Accept-Encoding": "identity"}
        try:
            prepared = requests.Request(method, url, headers=given, data=body or None).prepare()
        except (requests.RequestException, ValueError) as error:
            raise HttpFailure(f"not a request: {type(error).__name__}", sent=False) from None
        asked = _Asked(
            prepared=prepared,
            timeout=(connect_seconds, read_seconds),
            ends=monotonic_seconds() + deadline_seconds,
            body_limit=body_limit,
            cut=cut,
        )
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(TRIES if repeatable else 1)
            | tenacity.stop_before_delay(deadline_seconds),
            wait=tenacity.wait_random_exponential(WAIT_SECONDS, LONGEST_WAIT_SECONDS),
            retry=tenacity.retry_if_exception_type(HttpFailure)
            | tenacity.retry_if_result(lambda answer: answer.status in RETRIED_STATUSES),
            retry_error_callback=_last_outcome,
            sleep=self._sleep,
        )
        answer: HttpAnswer = retrying(self._try_once, asked)
        return answer

    def close(self) -> None:
        """Close every kept connection."""
        self.plain.close()

    def _try_once(self, asked: "_Asked") -> HttpAnswer:
        started = monotonic_seconds()
        parts = urlsplit(asked.prepared.url or "")
        log = _log.bind(method=asked.prepared.method, **self.logged(parts))
        watch = Watch()
        try:
            with watch.until(asked.ends - started):
                answer = self._exchange(asked, parts, watch)
        except HttpFailure as failure:
            failure.sent = asked.sent = failure.sent or asked.sent
            log.warning("http.failed", reason=failure.detail, sent=failure.sent)
            raise
        asked.sent = True
        spent = round((monotonic_seconds() - started) * 1000)
        log.info("http.answered", status=answer.status, bytes=len(answer.body), milliseconds=spent)
        return answer

    def _exchange(self, asked: "_Asked", parts: SplitResult, watch: Watch) -> HttpAnswer:
        # What is caught is not chained: it names the whole URL, query included.
        try:
            with self.adapter_for(parts, watch).send(
                asked.prepared.copy(),
                stream=True,
                timeout=asked.timeout,
                verify=self._verify,
                proxies={},
            ) as response:
                body = _read(response, asked)
        except AddressRefused as error:
            raise HttpFailure(error.detail, sent=False) from None
        except (requests.RequestException, HTTPError, http.client.HTTPException, OSError) as error:
            reason = "deadline passed" if watch.expired else _root_cause(error)
            raise HttpFailure(reason, sent=watch.sent) from None
        except ValueError as error:
            raise HttpFailure(f"not a request: {type(error).__name__}", sent=watch.sent) from None
        if watch.expired:  # A body without a length looks whole when it is cut.
            raise HttpFailure("deadline passed", sent=True)
        headers = MappingProxyType(response.headers)
        return HttpAnswer(status=response.status_code, headers=headers, body=body)

    def adapter_for(self, parts: SplitResult, watch: Watch) -> HTTPAdapter:
        """Return what carries a request to this address. Raises AddressRefused."""
        del watch
        if parts.scheme not in {"http", "https"}:
            raise AddressRefused("neither http nor https")
        return self.plain

    def logged(self, parts: SplitResult) -> dict[str, str]:
        """Return what the log may show of an address: never its query."""
        return {"host": parts.hostname or "", "path": parts.path}


@dataclass(kw_only=True)
class _Asked:
    """One request in all its tries; `sent` is what is known from the earlier ones."""

    prepared: requests.PreparedRequest
    timeout: tuple[float, float]
    ends: float
    body_limit: int
    cut: bool
    sent: bool = False


def _read(response: requests.Response, asked: _Asked) -> bytes:
    if response.headers.get("Content-Encoding", "identity") != "identity" and not asked.cut:
        raise HttpFailure("a compressed body nobody asked for", sent=True)
    body = bytearray()
    for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
        body += chunk
        if len(body) > asked.body_limit:
            if asked.cut:
                return bytes(body[: asked.body_limit])
            raise HttpFailure(f"a body of more than {asked.body_limit} bytes", sent=True)
    return bytes(body)


def _root_cause(error: BaseException) -> str:
    """Return the name of the innermost exception; its text may hold the URL."""
    inner = getattr(error, "reason", None) or next(iter(error.args), None)
    return _root_cause(inner) if isinstance(inner, Exception) else type(error).__name__


def _last_outcome(state: tenacity.RetryCallState) -> HttpAnswer:
    assert state.outcome is not None
    answer: HttpAnswer = state.outcome.result()
    return answer
