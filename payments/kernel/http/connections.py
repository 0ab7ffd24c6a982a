"""Connections that know whose request they carry: they end with its deadline and note its sending.

`requests` bounds each silence of the peer but not their sum, and cannot tell a request that was
lost before it left from one that was lost after; both are seen from the socket only.
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Lock, Timer
from typing import Any

from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError


def watched(adapter: HTTPAdapter) -> HTTPAdapter:
    """Make an adapter use connections that obey the Watch in force."""
    adapter.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return adapter


class Watch:
    """Cuts the connection of one request when its time is up, and notes whether it was sent."""

    def __init__(self) -> None:
        self.sent = False
        self.expired = False
        self.public_only = False
        self._connection: _Watched | None = None
        self._socket: socket.socket | None = None

    @contextmanager
    def until(self, seconds: float) -> Iterator[None]:
        """Watch the connections of this thread for the length of a block."""
        timer = Timer(max(seconds, 0.0), self._expire)
        timer.daemon = True
        timer.start()
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)
            timer.cancel()

    def sends_on(self, connection: "_Watched") -> None:
        """Note that a byte of the request is about to leave on this connection."""
        with _watching:
            if self.expired:
                raise TimeoutError("deadline passed")
            connection.watch = self
            self._connection = connection
            self._socket = connection.sock  # The connection forgets it before the body is read.
        self.sent = True

    def _expire(self) -> None:
        with _watching:
            self.expired = True
            ours = self._connection is not None and self._connection.watch is self
            if ours and self._socket is not None:  # Else it serves another request by now.
                with suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # Beneath TLS.


_watching = Lock()
_current: ContextVar[Watch | None] = ContextVar("watch", default=None)


class _Watched(HTTPConnection):
    watch: Watch | None = None

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        watch = _current.get()
        if watch is not None and watch.public_only and not _is_public(connected.getpeername()[0]):
            connected.close()
            raise NewConnectionError(self, "not a public address")
        return connected

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        watch = _current.get()
        if watch is not None:
            watch.sends_on(self)
        super().send(data)


class _WatchedSecurely(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _WatchedSecurely


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    if not found.is_global or found.is_multicast or found.is_reserved:
        return False
    return not any(found in network for network in EXTRA_BLOCKED_NET_RANGES)
