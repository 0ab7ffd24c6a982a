import socket
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

import pytest
from pytest_httpserver import HTTPServer
from requests.adapters import HTTPAdapter

from payments.kernel.http import AddressRefused, GuardedHttpClient, HttpFailure
from payments.kernel.http.connections import Watch, _is_public, watched

REFUSED = [
    "http://198.51.100.1/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.100.100.200/latest/meta-data/",
    "https://100.64.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::1]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[2002:7f00:1::]/",
    "https://１２７.0.0.1/",
    "https://8.8.8.8:22/",
    "https://8.8.8.8:80/",
    "https://user:word@8.8.8.8/",
    "https://8.8.8.8@127.0.0.1/",
    "https://127.0.0.1#@8.8.8.8/",
    "https:///",
    "https://8.8.8.8:99999/",
    "file:///etc/passwd",
    "//127.0.0.1/",
    "",
]


@pytest.fixture
def client() -> Iterator[GuardedHttpClient]:
    client = GuardedHttpClient()
    yield client
    client.close()


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_public_is_refused_when_registered_and_when_sent(
    client: GuardedHttpClient, url: str
) -> None:
    with pytest.raises(AddressRefused):
        client.examine(url)
    with pytest.raises(HttpFailure) as caught:
        client.request("POST", url, body=b"x")
    assert not caught.value.sent


@pytest.mark.parametrize("url", ["https://8.8.8.8/", "https://8.8.8.8:8443/x?y"])
def test_a_public_address_may_be_registered(client: GuardedHttpClient, url: str) -> None:
    client.examine(url)


def test_an_allowed_host_may_leave_its_usual_port_unsaid() -> None:
    client = GuardedHttpClient(allowed=frozenset({"LocalHost:443"}))
    client.examine("https://localhost/hook")
    with pytest.raises(AddressRefused):
        client.examine("http://localhost/hook")
    client.close()


def test_what_is_allowed_is_allowed_with_its_port_only(httpserver: HTTPServer) -> None:
    client = GuardedHttpClient(allowed=frozenset({f"localhost:{httpserver.port}"}))
    httpserver.expect_request("/hook").respond_with_data(b"ok")
    url = f"http://localhost:{httpserver.port}/hook"
    client.examine(url)
    assert client.request("POST", url, body=b"x").body == b"ok"
    for other in (
        f"http://127.0.0.1:{httpserver.port}/hook",
        f"http://localhost:{httpserver.port + 1}/hook",
        f"http://a:b@localhost:{httpserver.port}/hook",
    ):
        with pytest.raises(HttpFailure):
            client.request("POST", other)
    client.close()


def test_a_name_that_moved_is_refused_on_the_connected_socket() -> None:
    """Seen to fail with the look at the peer's address taken out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        class Rebound(GuardedHttpClient):
            """Its name filter has been outwitted."""

            def adapter_for(self, parts: SplitResult, watch: Watch) -> HTTPAdapter:
                del parts
                watch.public_only = True
                return watched(HTTPAdapter())

        with pytest.raises(HttpFailure) as caught:
            Rebound().request("POST", f"http://127.0.0.1:{listener.getsockname()[1]}/", body=b"x")
        assert not caught.value.sent
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1) == b""


@pytest.mark.parametrize("url", [url for url in REFUSED if "[" in url])
def test_the_second_look_agrees_with_the_first(url: str) -> None:
    host = urlsplit(url).hostname
    assert host is not None
    assert not _is_public(host)
