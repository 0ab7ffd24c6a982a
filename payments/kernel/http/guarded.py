"""The client for addresses that others chose."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import filter_host
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from payments.kernel.http.client import AddressRefused, HttpClient
from payments.kernel.http.connections import Watch, watched

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
MERCHANT_PORTS: Final = frozenset({443, 8443})


class GuardedHttpClient(HttpClient):
    """Requests to addresses that others chose, such as merchants' callback endpoints.

    Only https on MERCHANT_PORTS, and only to public addresses: checked when the name is resolved
    and again on the connected socket (OWASP API7). `allowed` are the exceptions, as "host:port".
    """

    def __init__(
        self,
        *,
        allowed: frozenset[str] = frozenset(),
        authorities: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(authorities=authorities, sleep=sleep)
        self._allowed = frozenset(entry.lower() for entry in allowed)
        self._filtering = watched(IPFilterAdapter(is_https_proto=True))

    def examine(self, url: str) -> None:
        """Check an address when it is registered. Raises AddressRefused; resolves the name.

        Every request is checked again, because a name may point elsewhere by then.
        """
        try:
            prepared = requests.Request("POST", url).prepare()
            parts = urlsplit(prepared.url or "")
            if not self._is_allowed(parts):
                host, port = _public_target(parts)
                filter_host(host, port, allow_loopback=False)
        except (requests.RequestException, ValueError):
            raise AddressRefused("the host is not a public one, or does not resolve") from None

    def close(self) -> None:
        super().close()
        self._filtering.close()

    def adapter_for(self, parts: SplitResult, watch: Watch) -> HTTPAdapter:
        if self._is_allowed(parts):
            return super().adapter_for(parts, watch)
        _public_target(parts)
        watch.public_only = True
        return self._filtering

    def _is_allowed(self, parts: SplitResult) -> bool:
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
        return f"{parts.hostname}:{port}" in self._allowed and parts.username is None

    def logged(self, parts: SplitResult) -> dict[str, str]:
        return {"host": parts.hostname or ""}  # A merchant's path may be a secret of theirs.


def _public_target(parts: SplitResult) -> tuple[str, int]:
    """Return host and port of an address whose form is allowed. Raises AddressRefused."""
    port = parts.port or DEFAULT_PORTS["https"]
    if parts.scheme != "https" or port not in MERCHANT_PORTS:
        raise AddressRefused("only https on ports 443 and 8443")
    if parts.username is not None or parts.hostname is None:
        raise AddressRefused("a host, and no user name or password")
    return parts.hostname, port
