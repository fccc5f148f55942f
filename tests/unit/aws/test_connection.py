"""The last check before a request goes out, with real sockets: slow ones, dead ones, many."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.support.clock import SteppedClock
from tests.unit.aws.conftest import SCOPE, Lease
from urllib3.util import connection

from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.aws.aws_settings import AwsSettings
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.sender import Sender, Sent
from awsbatch_operator.aws.sessions import Identity

SUBMIT = {"jobName": "a", "jobQueue": "q", "jobDefinition": "d"}
ANSWER = b'{"jobId": "j", "jobName": "a"}'


class Server:
    """A little HTTP server of one thread that counts the requests that it has read."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.before_tls: Callable[[], None] = lambda: None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.requests = 0
        self.close_instead = False
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self.listener.accept()
            except OSError:
                return
            self.before_tls()
            if self.tls is not None:
                accepted = self.tls.wrap_socket(accepted, server_side=True)
            with accepted:
                self._answer(accepted)

    def _answer(self, accepted: socket.socket) -> None:
        accepted.settimeout(5)
        while True:
            try:
                text = accepted.recv(65536)
            except OSError:
                return
            if not text:
                return
            self.requests += b"HTTP/1.1" in text
            while b"\r\n\r\n" not in text or b"jobName" not in text:
                text += accepted.recv(65536)
            if self.close_instead:
                return
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(ANSWER)}\r\n\r\n".encode()
            accepted.sendall(head + ANSWER)


class Site:
    """A sender that really connects, to a server of ours under AWS's address."""

    def __init__(self, server: Server, context: Any) -> None:
        self.clock, self.lease = SteppedClock(), Lease()
        self.server = server
        settings = AwsSettings("c1", "eu-central-1", connect_timeout=1.0, read_timeout=2.0)
        self.sender = Sender(settings, context(self.clock, self.lease))

    def submit(self) -> dict[str, Any]:
        sent = Sent(Identity(), SCOPE.account_id, SCOPE.region)
        asked_at = self.clock.monotonic()
        return dict(self.sender.send(sent, CALLS["batch:SubmitJob"], SUBMIT, asked_at))


def certificate(folder: Path) -> Path:
    """A certificate for aws.test, with its key, that signs itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "aws.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("aws.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    pem = folder / "aws.test.pem"
    key = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key)
    return pem


@pytest.fixture(params=["http", "https"])
def site(bench, loader, monkeypatch, request, tmp_path) -> Iterator[Site]:
    tls = None
    if request.param == "https":
        pem = certificate(tmp_path)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(pem))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pem)
    server = Server(tls)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"{request.param}://aws.test:{server.port}")
    monkeypatch.setenv("NO_PROXY", "*")
    yield Site(
        server,
        lambda clock, lease: replace(bench.context, clock=clock, fence=lease, on_client=None),
    )
    server.listener.close()


@pytest.fixture
def resolve(monkeypatch):
    """Resolves aws.test as the test says; `meanwhile` happens while it does."""
    real = socket.getaddrinfo

    def to(*addresses: str, meanwhile: Any = lambda: None) -> None:
        def resolved(host, port, *rest, **more):
            if host != "aws.test":
                return real(host, port, *rest, **more)
            meanwhile()
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
                for address in addresses
            ]

        monkeypatch.setattr(socket, "getaddrinfo", resolved)

    return to


def failure(site: Site) -> AwsError:
    with pytest.raises(AwsError) as caught:
        site.submit()
    return caught.value


def test_a_request_goes_out_over_guarded_connections(site, resolve):
    resolve("127.0.0.1")
    assert site.submit()["jobId"] == "j"
    assert site.submit()["jobId"] == "j"  # over the same connection
    assert site.server.requests == 2
    assert len(site.lease.asked) == 4  # before connecting, and before the first byte


def test_a_lease_that_runs_out_while_the_name_is_resolved_is_noticed_before_the_first_byte(
    site, resolve
):
    resolve("127.0.0.1", meanwhile=lambda: setattr(site.lease, "rest", 0.0))
    with pytest.raises(LeaseLostError):
        site.submit()
    assert site.server.requests == 0


def test_a_change_whose_name_takes_too_long_to_resolve_is_not_sent(site, resolve):
    resolve("127.0.0.1", meanwhile=lambda: site.clock.skip(3.1))
    error = failure(site)
    assert (error.kind, error.code, error.outcome_unknown) == (
        ErrorKind.TRANSIENT,
        "NotSent",
        False,
    )
    assert site.server.requests == 0


@pytest.mark.parametrize("site", ["https"], indirect=True)
def test_a_lease_that_runs_out_during_the_handshake_is_noticed_before_the_first_byte(site, resolve):
    site.server.before_tls = lambda: setattr(site.lease, "rest", 0.0)
    resolve("127.0.0.1")
    with pytest.raises(LeaseLostError):
        site.submit()
    assert site.server.requests == 0


def test_a_connection_kept_open_is_asked_for_as_well(site, resolve):
    resolve("127.0.0.1")
    site.submit()
    before_send = len(site.lease.asked) + 1

    def check(_: float) -> None:
        site.lease.asked.append(0.0)
        if len(site.lease.asked) > before_send:
            raise LeaseLostError("it ran out between the two checks")

    site.lease.check = check
    with pytest.raises(LeaseLostError):
        site.submit()
    assert site.server.requests == 1


def test_many_dead_addresses_take_the_connect_timeout_once_and_not_each(site, resolve, monkeypatch):
    tried = []

    def connect(address, timeout, **_):
        tried.append((address, timeout))
        raise TimeoutError

    monkeypatch.setattr(
        "awsbatch_operator.aws.connection.urllib3_connection.create_connection", connect
    )
    dead = [f"192.0.2.{number}" for number in range(1, 9)]
    resolve(*dead)
    error = failure(site)
    assert (error.kind, error.outcome_unknown) == (ErrorKind.TRANSIENT, False)
    assert [address for (address, _), _ in tried] == dead
    assert tried[0][1] == pytest.approx(1 / 8, rel=0.1)


def test_one_dead_address_does_not_take_the_time_of_the_living_one(site, resolve, monkeypatch):
    real = connection.create_connection

    def connect(address, timeout, **more):
        if address[0] == "192.0.2.1":
            raise TimeoutError
        return real(address, timeout, **more)

    monkeypatch.setattr(connection, "create_connection", connect)
    resolve("192.0.2.1", "127.0.0.1")
    assert site.submit()["jobId"] == "j"


def test_a_name_that_does_not_resolve_leaves_nothing_unknown(site, monkeypatch):
    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    error = failure(site)
    assert (error.kind, error.outcome_unknown) == (ErrorKind.TRANSIENT, False)


def test_a_refused_connection_leaves_nothing_unknown(site, resolve, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://aws.test:{port}")
    resolve("127.0.0.1")
    error = failure(site)
    assert (error.kind, error.outcome_unknown) == (ErrorKind.TRANSIENT, False)


def test_a_connection_that_breaks_after_the_request_leaves_the_outcome_unknown(site, resolve):
    site.server.close_instead = True
    resolve("127.0.0.1")
    error = failure(site)
    assert (error.kind, error.outcome_unknown) == (ErrorKind.TRANSIENT, True)
    assert site.server.requests == 1
