"""Real sockets and real TLS: whatever is at the other end, the cached license goes on."""

import gzip
import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from license_client import ConfigurationError, LicenseClient, OfflineError
from license_client._settings import Options, build_settings
from license_client._wiring import connect
from license_client.testing.simulator import Simulator
from support.client_machine import Machine
from support.client_network import misbehaving, serving

Behavior = Callable[[socket.socket, threading.Event], None]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def online(machine: Machine, url: str, ca_file: Path | None = None) -> LicenseClient:
    """Start a client over the real network, with a short deadline."""
    options: Options = {**machine.options, "server_url": url, "ca_file": ca_file}
    return LicenseClient._over(connect(build_settings(options), total_seconds=2.0))


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def of_a_stranger(_: trustme.CA) -> ssl.SSLContext:
    return context_of(trustme.CA().issue_cert("127.0.0.1"))


def of_another_name(authority: trustme.CA) -> ssl.SSLContext:
    return context_of(authority.issue_cert("license.example"))


def expired(authority: trustme.CA) -> ssl.SSLContext:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return context_of(authority.issue_cert("127.0.0.1", not_after=yesterday))


def of_an_old_protocol(authority: trustme.CA) -> ssl.SSLContext:
    context = context_of(authority.issue_cert("127.0.0.1"))
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def test_a_license_is_activated_over_tls(
    machine: Machine, server: Simulator, authority: trustme.CA, ca_file: Path
) -> None:
    with serving(server, context_of(authority.issue_cert("127.0.0.1"))) as url:
        activated = online(machine, url, ca_file).activate()
    assert activated.usable
    assert activated.notices == ()
    assert online(machine, url, ca_file).status().usable


# threats.md N1
@pytest.mark.parametrize("tls", [of_a_stranger, of_another_name, expired, of_an_old_protocol])
def test_a_server_that_tls_does_not_trust_is_as_good_as_none(
    machine: Machine,
    server: Simulator,
    authority: trustme.CA,
    ca_file: Path,
    tls: Callable[[trustme.CA], ssl.SSLContext],
) -> None:
    with serving(server, context_of(authority.issue_cert("127.0.0.1"))) as url:
        online(machine, url, ca_file).activate()
    with serving(server, tls(authority)) as url:
        client = online(machine, url, ca_file)
        with pytest.raises(OfflineError):
            client.validate()
    assert client.status().usable
    assert len(server.requests) == 1


def test_a_ca_file_without_a_certificate_is_a_mistake(machine: Machine, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    with pytest.raises(ConfigurationError, match="LICENSE_CA_FILE"):
        online(machine, "https://127.0.0.1:1", empty).activate()


def silent(_: socket.socket, over: threading.Event) -> None:
    over.wait()


def closing(connection: socket.socket, _: threading.Event) -> None:
    connection.close()


def dripping_headers(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD + b"x-drip: ")
    while not over.wait(0.05):
        connection.sendall(b"a")


def dripping_body(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD + b"content-length: 60000\r\n\r\n")
    while not over.wait(0.05):
        connection.sendall(b" ")


def endless_headers(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD)
    while not over.is_set():
        connection.sendall(b"x-more: " + b"a" * 8_000 + b"\r\n")


def endless_body(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD + b"\r\n")
    while not over.is_set():
        connection.sendall(b" " * 65_536)


def two_gigabytes(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD + b"content-length: 2147483648\r\n\r\n")
    while not over.is_set():
        connection.sendall(b" " * 65_536)


def gzip_bomb(connection: socket.socket, _: threading.Event) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    length = str(len(bomb)).encode()
    connection.sendall(
        HEAD + b"content-encoding: gzip\r\ncontent-length: " + length + b"\r\n\r\n" + bomb
    )


def shorter_than_it_says(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(HEAD + b'content-length: 400\r\n\r\n{"decision":"')


def no_http(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def http_of_the_past(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(b'{"decision":"x"}')


HOSTILE = [
    silent,
    closing,
    dripping_headers,
    dripping_body,
    endless_headers,
    endless_body,
    two_gigabytes,
    gzip_bomb,
    shorter_than_it_says,
    no_http,
    http_of_the_past,
]


# threats.md N5, F1-F3
@pytest.mark.parametrize("behavior", HOSTILE)
def test_a_server_that_misbehaves_holds_nobody(
    machine: Machine, server: Simulator, behavior: Behavior
) -> None:
    with serving(server) as url:
        online(machine, url).activate()
    with misbehaving(behavior) as url:
        client = online(machine, url)
        with pytest.raises(OfflineError):
            client.validate()
        assert client.status().usable
        for thread in threading.enumerate():  # nor does it keep what asked it
            if thread.name == "license-client":
                thread.join(30)
                assert not thread.is_alive()


def test_a_redirect_is_not_followed(machine: Machine, server: Simulator) -> None:
    with serving(server) as elsewhere:

        def redirecting(connection: socket.socket, _: threading.Event) -> None:
            target = f"{elsewhere}/v1/licenses/activate".encode()
            connection.sendall(
                b"HTTP/1.1 307 Temporary Redirect\r\ncontent-length: 0\r\nlocation: "
                + target
                + b"\r\n\r\n"
            )

        with misbehaving(redirecting) as url, pytest.raises(OfflineError, match="307"):
            online(machine, url).activate()
    assert server.requests == []


def test_a_name_that_does_not_resolve_is_offline(machine: Machine) -> None:
    with pytest.raises(OfflineError):
        online(machine, "https://license.invalid").activate()


def test_a_port_that_is_closed_is_offline(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OfflineError):
        online(machine, f"http://127.0.0.1:{port}").activate()


def tunneling_to(url: str) -> Behavior:
    """Do as an HTTPS proxy does, whatever host it is asked for."""
    port = int(url.rpartition(":")[2])

    def tunnel(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=pump, args=(server, connection))
            back.start()
            pump(connection, server)
            back.join()

    return tunnel


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(4_096):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


# threats.md C10
def test_a_proxy_and_an_authority_of_the_customers_own_are_good_enough(
    machine: Machine,
    server: Simulator,
    authority: trustme.CA,
    ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        serving(server, context_of(authority.issue_cert("license.example"))) as url,
        misbehaving(tunneling_to(url)) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        assert online(machine, "https://license.example", ca_file).activate().usable


def test_a_proxy_hears_nothing_of_a_server_on_this_machine(
    machine: Machine, server: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain http is allowed there because key and email never leave the machine."""
    heard = []

    def listening(connection: socket.socket, _: threading.Event) -> None:
        heard.append(connection)

    with misbehaving(listening) as proxy, serving(server) as url:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        assert online(machine, url).activate().usable
    assert heard == []


def test_a_proxy_that_is_nonsense_is_offline(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://:::")
    with pytest.raises(OfflineError):
        online(machine, "https://license.example").activate()
