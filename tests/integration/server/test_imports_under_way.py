"""Imports into a running server: their client is killed, and other clients want answers."""

import json
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from support.license_api import body
from support.raw_http import ANSWER_SECONDS
from support.servers import BIN, RunningServer
from support.vendor import PRODUCT, Vendor

LINES = 3_000
MANY = 50_000
KILLED_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: the end of a process that was killed


@pytest.fixture(params=["sqlite", "postgresql"])
def vendor(
    request: pytest.FixtureRequest, tmp_path: Path, new_database: Callable[..., str]
) -> Vendor:
    settings = {"REQUESTS_PER_MINUTE": "1000000"}
    if request.param == "postgresql":
        settings["DATABASE_URL"] = new_database()
    vendor = Vendor(tmp_path / "vendor", tls=None, settings=settings)
    vendor.create_product()
    return vendor


def lines(count: int) -> bytes:
    buyers = ({"product": PRODUCT, "email": f"buyer{n}@example.com"} for n in range(count))
    return b"".join(json.dumps(buyer).encode() + b"\n" for buyer in buyers)


def admin_port(server: RunningServer) -> int:
    return urlsplit(server.wait_for_event("server.listening", listener="admin")["url"]).port or 0


def request_of(token: str, content: bytes) -> bytes:
    head = (
        "POST /v1/admin/licenses/import HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/x-ndjson\r\n"
        f"Idempotency-Key: one\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


@pytest.fixture(params=["half of the body", "all of the body", "the head", "half of the answer"])
def leave(request: pytest.FixtureRequest) -> Callable[[int, bytes], None]:
    """Return what sends a request and is killed after so much of the exchange."""

    def send(port: int, message: bytes) -> None:
        with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as connected:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, KILLED_AT_ONCE)
            sent = message[: len(message) // 2] if "half of the body" in request.param else message
            connected.sendall(sent)
            if request.param == "the head":
                assert connected.recv(12) == b"HTTP/1.1 200"
            if request.param == "half of the answer":
                received = 0
                while received < LINES * 60:
                    received += len(connected.recv(65_536))

    return send


def test_a_killed_client_gets_all_keys_of_what_was_imported_by_asking_again(
    vendor: Vendor, leave: Callable[[int, bytes], None]
) -> None:
    token, content = vendor.create_token("issuer")["token"], lines(LINES)
    with vendor.serving() as server:
        port = admin_port(server)
        leave(port, request_of(token, content))
        answer = import_until_told(port, token, content)
    *made, end = map(json.loads, answer.splitlines())
    assert end == {"imported": LINES}
    assert [one["line"] for one in made] == list(range(1, LINES + 1))
    assert {one["id"] for one in vendor.export()} == {one["id"] for one in made}
    assert len({one["key"] for one in made}) == LINES


def import_until_told(port: int, token: str, content: bytes) -> bytes:
    """Import, and ask again while the killed client's import is under way."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/x-ndjson",
        "Idempotency-Key": "one",
    }
    url = f"http://127.0.0.1:{port}/v1/admin/licenses/import"
    while True:
        answer = httpx.post(url, headers=headers, content=content, timeout=ANSWER_SECONDS)
        if answer.status_code != 409:
            assert answer.status_code == 200, answer.text
            return answer.content


@pytest.fixture
def importing(vendor: Vendor, tmp_path: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Return what begins an import of many lines by a command on the server's own folder."""
    file = tmp_path / "buyers.ndjson"
    file.write_bytes(lines(MANY))
    begun: list[subprocess.Popen[str]] = []
    keys = tmp_path / "keys.ndjson"
    command = (
        BIN / "license-server",
        "--dir",
        vendor.folder,
        "license",
        "import",
        file,
        "-o",
        keys,
    )

    def begin() -> "subprocess.Popen[str]":
        begun.append(
            subprocess.Popen(command, env=vendor.environment, stderr=subprocess.PIPE, text=True)
        )
        return begun[-1]

    yield begin
    for process in begun:
        process.communicate()


@pytest.mark.timeout(300)  # a busy machine imports them in a minute or two
@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_clients_are_answered_while_a_large_import_has_the_sqlite_file(
    vendor: Vendor, importing: Callable[[], "subprocess.Popen[str]"]
) -> None:
    sold = vendor.sell("ada@example.com")
    known = {"license_key": sold.key, "email": sold.email}
    with vendor.serving() as server, httpx.Client(base_url=server.url, timeout=10) as client:

        def ask(operation: str, **changes: str) -> int:
            content = body(**known, **changes)
            headers = {"Content-Type": "application/json"}
            answer = client.post(f"/v1/licenses/{operation}", content=content, headers=headers)
            return answer.status_code

        assert ask("activate") == 200
        process = importing()
        statuses = []
        while process.poll() is None:
            statuses.append(ask("validate"))
            statuses.append(ask("activate", instance_id=f"new-deployment-{len(statuses) % 50}"))
        assert process.returncode == 0
    assert set(statuses) == {200}
    assert len(vendor.export()) == MANY + 1
