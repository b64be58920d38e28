"""Gates in front of web applications: open while the license is usable, never half."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from license_client import LicenseStatus, asgi, wsgi
from license_client.testing.simulator import License, Simulator
from support.client_machine import Machine


@dataclass
class Held:
    """A license, held still."""

    status: LicenseStatus


@pytest.fixture
def license_now(machine: Machine) -> Held:
    return Held(machine.start().activate())


@pytest.fixture
def revoked(machine: Machine, license_: License, server: Simulator) -> LicenseStatus:
    server.change(license_, code="REVOKED")
    return machine.start().validate()


async def _app(scope: asgi.Scope, _receive: asgi.Receive, send: asgi.Send) -> None:
    await send({"type": "passed", "scope": scope["type"]})


async def _sent(gate: asgi.LicenseGate, kind: str, path: str = "/data") -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.connect"}

    async def send(message: asgi.Message) -> None:
        sent.append(dict(message))

    scope = {"type": kind} if kind == "lifespan" else {"type": kind, "path": path}
    await gate(scope, receive, send)
    return sent


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["http", "websocket", "lifespan"])
async def test_an_open_gate_hands_everything_on(license_now: Held, kind: str) -> None:
    gate = asgi.LicenseGate(_app, license_now)
    assert await _sent(gate, kind) == [{"type": "passed", "scope": kind}]


@pytest.mark.anyio
async def test_a_closed_gate_answers_with_a_problem(
    license_now: Held, revoked: LicenseStatus
) -> None:
    gate = asgi.LicenseGate(_app, license_now)
    license_now.status = revoked
    start, body = await _sent(gate, "http")
    headers = dict(start["headers"])
    problem = json.loads(body["body"])
    assert start["status"] == problem["status"] == 403
    assert headers[b"content-type"] == b"application/problem+json"
    assert int(headers[b"content-length"]) == len(body["body"])
    assert problem["code"] == "REVOKED"
    assert "vendor" in problem["detail"]


@pytest.mark.anyio
async def test_a_closed_gate_refuses_web_sockets_and_lets_the_server_run(
    license_now: Held, revoked: LicenseStatus
) -> None:
    license_now.status = revoked
    gate = asgi.LicenseGate(_app, license_now)
    assert await _sent(gate, "websocket") == [
        {"type": "websocket.close", "code": 1008, "reason": "REVOKED"}
    ]
    assert await _sent(gate, "lifespan") == [{"type": "passed", "scope": "lifespan"}]


@pytest.mark.anyio
async def test_a_path_may_stay_open(license_now: Held, revoked: LicenseStatus) -> None:
    license_now.status = revoked
    gate = asgi.LicenseGate(_app, license_now, always_open=["/health", "/license/"])
    assert (await _sent(gate, "http", "/health"))[0]["type"] == "passed"
    assert (await _sent(gate, "http", "/data/health"))[0]["status"] == 403


def _answer(gate: wsgi.LicenseGate, path: str) -> tuple[str, dict[str, str], bytes]:
    environ: dict[str, Any] = {"PATH_INFO": path}
    setup_testing_defaults(environ)
    answered: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
        answered.append((status, dict(headers)))

    body = b"".join(gate(environ, start_response))
    return *answered[0], body


def _wsgi_app(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"passed"]


def test_a_wsgi_gate_does_the_same(license_now: Held, revoked: LicenseStatus) -> None:
    gate = wsgi.LicenseGate(_wsgi_app, license_now, always_open=("/health",))
    assert _answer(gate, "/data") == ("200 OK", {}, b"passed")
    license_now.status = revoked
    status, headers, body = _answer(gate, "/data")
    assert status == "403 Forbidden"
    assert headers["Content-Type"] == "application/problem+json"
    assert int(headers["Content-Length"]) == len(body)
    assert json.loads(body)["code"] == "REVOKED"
    assert _answer(gate, "/health")[2] == b"passed"
