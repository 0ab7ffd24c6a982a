import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response

from payments.kernel.http import HttpAnswer, HttpClient, HttpFailure


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(sleep=lambda _: None)
    yield client
    client.close()


@contextmanager
def peer(act: Callable[[socket.socket], None]) -> Iterator[str]:
    """A peer that does with one connection whatever `act` does; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                act(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/pay"
        thread.join(5)


def trickle(head: bytes, *, drop: bytes = b"x") -> Callable[[socket.socket], None]:
    """Answer one byte at a time until the other side has had enough."""

    def act(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        connection.settimeout(0.02)
        while True:
            try:
                connection.sendall(drop)
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    return act


def read_and_wait(connection: socket.socket) -> None:
    """Read until the other side hangs up."""
    while connection.recv(65536):
        pass


def hang_up(connection: socket.socket) -> None:
    """Read a little and close."""
    connection.recv(1)


def test_the_request_arrives_and_the_answer_returns(
    client: HttpClient, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(
        "/gateway.do", method="POST", data=b"a=1", headers={"User-Agent": "Qiantang/1"}
    ).respond_with_data(b"\x00ok", status=201, headers={"X-Serial": "7"})
    answer = client.request("POST", httpserver.url_for("/gateway.do"), body=b"a=1")
    assert (answer.status, answer.body, answer.headers["x-serial"]) == (201, b"\x00ok", "7")


def test_nothing_is_taken_from_the_environment_or_kept(
    client: HttpClient, httpserver: HTTPServer
) -> None:
    def answer(request: Request) -> Response:
        assert not {"Cookie", "Authorization"} & set(request.headers.keys())
        assert request.headers["Accept-Encoding"] == "identity"
        return Response(headers={"Set-Cookie": "id=1"})

    httpserver.expect_request("/").respond_with_handler(answer)
    for _ in range(2):
        assert client.request("GET", httpserver.url_for("/")).status == 200


def test_a_redirect_is_an_answer(client: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(status=302, headers={"Location": "/b"})
    assert client.request("GET", httpserver.url_for("/a")).status == 302
    assert len(httpserver.log) == 1


def test_a_request_that_never_left_says_so(client: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", "ftp://127.0.0.1/", "http:///", "nonsense"):
        with pytest.raises(HttpFailure) as caught:
            client.request("POST", url, body=b"x")
        assert not caught.value.sent


def test_a_failed_handshake_says_the_request_never_left(client: HttpClient) -> None:
    with (
        peer(lambda connection: connection.sendall(b"no TLS here\r\n\r\n")) as url,
        pytest.raises(HttpFailure) as caught,
    ):
        client.request("POST", url.replace("http:", "https:"), body=b"x")
    assert not caught.value.sent


def test_a_peer_that_hangs_up_may_have_read_the_request(client: HttpClient) -> None:
    with peer(hang_up) as url, pytest.raises(HttpFailure) as caught:
        client.request("POST", url, body=b"x" * 10_000_000)
    assert caught.value.sent


def test_silence_ends_in_a_failure_that_may_have_been_sent(client: HttpClient) -> None:
    with peer(read_and_wait) as url, pytest.raises(HttpFailure) as caught:
        client.request("POST", url, body=b"x", read_seconds=0.05)
    assert caught.value.sent


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ],
)
def test_a_trickle_ends_with_the_deadline(client: HttpClient, head: bytes) -> None:
    """Seen to fail (and hang) with the deadline timer taken out."""
    with peer(trickle(head)) as url, pytest.raises(HttpFailure, match="deadline") as caught:
        client.request("GET", url, deadline_seconds=0.3)
    assert caught.value.sent


def test_a_cut_body_is_a_failure(client: HttpClient) -> None:
    def act(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")

    with peer(act) as url, pytest.raises(HttpFailure) as caught:
        client.request("GET", url)
    assert caught.value.sent


@pytest.mark.parametrize("length", [100, 101])
def test_the_body_is_bounded(client: HttpClient, httpserver: HTTPServer, length: int) -> None:
    httpserver.expect_request("/").respond_with_data(b"x" * length)
    if length == 100:
        assert len(client.request("GET", httpserver.url_for("/"), body_limit=100).body) == 100
    else:
        with pytest.raises(HttpFailure, match="100 bytes"):
            client.request("GET", httpserver.url_for("/"), body_limit=100)


def test_a_long_body_is_cut_where_its_beginning_will_do(
    client: HttpClient, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/pay").respond_with_data(b"x" * 100_000)
    answer = client.request("GET", httpserver.url_for("/pay"), body_limit=10, cut=True)
    assert (answer.status, answer.body) == (200, b"x" * 10)


def test_a_compressed_body_is_refused(client: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"bomb", headers={"Content-Encoding": "gzip"})
    with pytest.raises(HttpFailure, match="compressed"):
        client.request("GET", httpserver.url_for("/"))
    assert client.request("GET", httpserver.url_for("/"), cut=True).body == b"bomb"


@pytest.mark.parametrize(("repeatable", "status"), [(True, 200), (False, 503)])
def test_only_what_is_repeatable_is_repeated(
    client: HttpClient, httpserver: HTTPServer, *, repeatable: bool, status: int
) -> None:
    """Seen to fail with the number of tries no longer depending on `repeatable`."""
    for code in (503, 502, 200):
        httpserver.expect_oneshot_request("/").respond_with_data(status=code)
    answer = client.request("POST", httpserver.url_for("/"), repeatable=repeatable)
    assert answer.status == status
    assert len(httpserver.log) == (3 if repeatable else 1)


def test_the_last_of_bad_answers_is_still_an_answer(
    client: HttpClient, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/").respond_with_data(b"busy", status=503)
    answer = client.request("GET", httpserver.url_for("/"), repeatable=True)
    assert isinstance(answer, HttpAnswer)
    assert (answer.status, answer.body, len(httpserver.log)) == (503, b"busy", 3)


def test_what_one_try_sent_is_sent_though_the_last_never_left(client: HttpClient) -> None:
    """Seen to fail with each try telling of itself alone."""

    def answer_and_close(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

        def serve() -> None:
            connection, _ = listener.accept()
            listener.close()
            with connection:
                answer_and_close(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(HttpFailure) as caught:
            client.request("POST", url, body=b"x", repeatable=True)
        thread.join(5)
    assert caught.value.sent


def test_the_log_shows_neither_query_nor_body_nor_headers(
    client: HttpClient, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/a").respond_with_data(b"secret-answer")
    with capture_logs() as logs:
        client.request(
            "POST",
            httpserver.url_for("/a?token=secret-query"),
            body=b"secret-body",
            headers={"Authorization": "secret-header"},
        )
        with pytest.raises(HttpFailure) as caught:
            client.request("GET", "http://secret-user:secret-word@127.0.0.1:1/?q=secret-query")
    assert [entry["event"] for entry in logs] == ["http.answered", "http.failed"]
    assert "secret" not in repr(logs)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_connection_is_kept(client: HttpClient) -> None:
    def act(connection: socket.socket) -> None:
        for body in (b"1", b"2"):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + body)

    with peer(act) as url:
        assert [client.request("GET", url).body for _ in range(2)] == [b"1", b"2"]


def test_a_private_authority_is_trusted_only_when_named(tmp_path: Path) -> None:
    certificate, context = authority_of(tmp_path, name="localhost")
    with HTTPServer(host="localhost", port=0, ssl_context=context) as server:
        server.expect_request("/").respond_with_data(b"ok")
        trusting = HttpClient(authorities=certificate)
        assert trusting.request("GET", server.url_for("/")).body == b"ok"
        for client, url in (
            (HttpClient(), server.url_for("/")),
            (trusting, server.url_for("/").replace("localhost", "127.0.0.1")),
        ):
            with pytest.raises(HttpFailure) as caught:
                client.request("GET", url)
            assert not caught.value.sent
            client.close()


def authority_of(folder: Path, *, name: str) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for a name, and a server context that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    moment = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(moment - timedelta(hours=1))
        .not_valid_after(moment + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, secret = folder / "certificate.pem", folder / "key.pem"
    shown.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, secret)
    return shown, context
