"""Real sockets and real TLS: whatever is at the other end, the cached license goes on."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from license_client import ConfigurationError, LicenseClient, OfflineError
from license_client._settings import Options, build_settings
from license_client._wiring import connect
from license_client.testing.simulator import Simulator
from support.client_machine import Machine
from support.client_network import Behavior, misbehaving, serving
from support.faults import BEHAVIORS, CONTEXTS, context_of, on_loopback


def online(machine: Machine, url: str, ca_file: Path | None = None) -> LicenseClient:
    """Start a client over the real network, with a short deadline."""
    options: Options = {**machine.options, "server_url": url, "ca_file": ca_file}
    return LicenseClient._over(connect(build_settings(options), total_seconds=2.0))


def test_a_license_is_activated_over_tls(
    machine: Machine, server: Simulator, authority: trustme.CA, ca_file: Path
) -> None:
    with serving(server, context_of(authority.issue_cert("127.0.0.1"))) as url:
        activated = online(machine, url, ca_file).activate()
    assert activated.usable
    assert activated.notices == ()
    assert online(machine, url, ca_file).status().usable


# threats.md N1
@pytest.mark.parametrize("tls", CONTEXTS.values(), ids=CONTEXTS)
def test_a_server_that_tls_does_not_trust_is_told_nothing(
    machine: Machine,
    server: Simulator,
    authority: trustme.CA,
    ca_file: Path,
    tls: Callable[[trustme.CA], ssl.SSLContext],
) -> None:
    with serving(server, tls(authority)) as url, pytest.raises(OfflineError):
        online(machine, url, ca_file).activate()
    assert server.requests == []


def test_a_ca_file_without_a_certificate_is_a_mistake(machine: Machine, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    with pytest.raises(ConfigurationError, match="LICENSE_CA_FILE"):
        online(machine, "https://127.0.0.1:1", empty).activate()


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


@pytest.mark.parametrize("name", ["dripping headers", "dripping body"])
def test_a_server_that_holds_on_behind_a_proxy_keeps_no_thread(
    machine: Machine,
    authority: trustme.CA,
    ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    context = context_of(authority.issue_cert("license.example"))
    with misbehaving(BEHAVIORS[name], context) as url, misbehaving(tunneling_to(url)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(OfflineError):
            online(machine, "https://license.example", ca_file).activate()
        assert_no_call_is_left()


def test_a_connection_that_comes_too_late_is_not_used(
    machine: Machine, authority: trustme.CA, ca_file: Path
) -> None:
    """The TLS handshake ends after the call was given up: no key and no email is sent."""
    heard = b""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(OfflineError):
            online(machine, url, ca_file).activate()
        connection, _ = listener.accept()
        late = on_loopback(authority)
        with suppress(OSError), late.wrap_socket(connection, server_side=True) as secured:
            heard = secured.recv(1)
        assert_no_call_is_left()
    assert heard == b""


def assert_no_call_is_left() -> None:
    for thread in threading.enumerate():
        if thread.name == "license-client":
            thread.join(30)
            assert not thread.is_alive()


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
