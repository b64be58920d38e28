"""Starting, TLS and stopping, with real processes."""

import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from support.edge import MODULES, running_edge
from support.http_attacks import HOST
from support.raw_http import connection, read_answer, read_to_end, status_of
from support.servers import RunningServer
from support.tls import TlsFiles, issue_certificate


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """A certificate for loopback."""
    return issue_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(package: str, tls: TlsFiles) -> Iterator[RunningServer]:
    """Serve HTTPS; handshakes have half a second."""
    env = {"TLS_CERT_FILE": str(tls.cert), "TLS_KEY_FILE": str(tls.key)}
    with running_edge(package, 0.5, env) as server:
        yield server


def source_of(package: str, module: str) -> str:
    """Return a module's source with its package's name left out."""
    spec = find_spec(f"{package}.{module}")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text().replace(package, "PACKAGE")


@pytest.mark.parametrize("module", MODULES)
def test_the_edge_is_the_same_in_both_packages_to_the_letter(module: str) -> None:
    assert source_of("license_server", module) == source_of("db_api", module)


def test_https_answers_with_hsts(secure: RunningServer, tls: TlsFiles) -> None:
    response = httpx.get(secure.url, verify=tls.client_context())

    assert response.json()["scheme"] == "https"
    assert response.headers["strict-transport-security"].startswith("max-age=31536000")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_tls_below_1_2_is_refused(secure: RunningServer, tls: TlsFiles) -> None:
    context = tls.client_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1

    with connection(secure.port) as connected, pytest.raises(ssl.SSLError):
        context.wrap_socket(connected, server_hostname="127.0.0.1")


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256"])
def test_a_cipher_without_authentication_of_its_data_is_refused(
    secure: RunningServer, tls: TlsFiles, cipher: str
) -> None:
    context = tls.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(cipher)

    with connection(secure.port) as connected, pytest.raises(ssl.SSLError):
        context.wrap_socket(connected, server_hostname="127.0.0.1")


def test_a_handshake_that_does_not_come_is_ended(secure: RunningServer) -> None:
    with connection(secure.port) as connected:
        assert read_to_end(connected) == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_answers_what_is_in_flight_and_ends_with_status_0(
    package: str, number: signal.Signals
) -> None:
    answers: list[httpx.Response] = []
    with running_edge(package) as server:
        asking = threading.Thread(
            target=lambda: answers.append(httpx.get(f"{server.url}/slow", timeout=30))
        )
        asking.start()
        server.wait_for_event("slow.begun")
        server.send(number)
        status = server.wait()
        asking.join()

    assert status == 0
    assert answers[0].status_code == 200


def test_a_stop_does_not_wait_for_a_client_that_sends_nothing(package: str) -> None:
    with running_edge(package) as server, connection(server.port) as connected:
        connected.sendall(b"GET / HTTP/1.1\r\n")

        assert server.stop() == 0


def test_a_stop_does_not_wait_for_an_idle_tls_client(package: str, tls: TlsFiles) -> None:
    env = {"TLS_CERT_FILE": str(tls.cert), "TLS_KEY_FILE": str(tls.key)}
    with running_edge(package, env=env) as server, connection(server.port) as connected:
        secured = tls.client_context().wrap_socket(connected, server_hostname="127.0.0.1")
        secured.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status_of(read_answer(secured)) == 200

        assert server.stop() == 0
        secured.close()

    assert server.events("log", logger="uvicorn.error") == []


def test_an_address_in_use_is_named(package: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        text = refusal_of(package, {"PORT": port})

    assert "PORT" in text
    assert port in text
    assert "in use" in text
    assert "Traceback" not in text


def test_unusable_tls_files_are_named_with_the_reason(
    package: str, tls: TlsFiles, tmp_path: Path
) -> None:
    other = issue_certificate(tmp_path, name="other")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no PEM")
    cases = {
        (tls.cert, other.key): "MISMATCH",
        (tls.cert, tmp_path / "missing.key"): "No such file",
        (garbage, tls.key): "no PEM",
    }

    for (cert, key), reason in cases.items():
        text = refusal_of(package, {"TLS_CERT_FILE": str(cert), "TLS_KEY_FILE": str(key)})

        assert f"TLS_CERT_FILE {cert}" in text
        assert f"TLS_KEY_FILE {key}" in text
        assert reason in text
        assert "Traceback" not in text


def refusal_of(package: str, env: dict[str, str]) -> str:
    """Return what a server says that does not start."""
    with pytest.raises(AssertionError) as refused, running_edge(package, env=env):
        pass
    return str(refused.value)
