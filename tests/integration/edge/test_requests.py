"""What every request and every answer gets at the edge, over real connections."""

import json
from typing import Any

import httpx
import pytest

from support.edge import CANARY, running_edge
from support.http_attacks import HOST, POST
from support.raw_http import connection, exchange
from support.servers import RunningServer


def echo_of(response: httpx.Response) -> dict[str, Any]:
    """Return what the application behind the edge saw."""
    return dict(response.json())


def test_every_answer_has_the_security_headers_and_names_no_server(edge: RunningServer) -> None:
    for path in ("/", "/fail"):
        headers = httpx.get(edge.url + path).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers
        assert "strict-transport-security" not in headers


def test_forwarded_headers_of_a_stranger_are_ignored(edge: RunningServer) -> None:
    forged = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Request-Id": "forged",
    }

    response = httpx.get(edge.url, headers=forged)

    assert echo_of(response)["client"] == "127.0.0.1"
    assert echo_of(response)["scheme"] == "http"
    assert response.headers["x-request-id"] != "forged"


def test_a_trusted_proxy_names_client_scheme_and_request_id(package: str) -> None:
    forwarded = {
        "X-Forwarded-For": "6.6.6.6, 203.0.113.9, 10.1.2.3",
        "X-Forwarded-Proto": "https",
        "X-Request-Id": "from-the-proxy",
    }

    with running_edge(package, env={"TRUSTED_PROXIES": "127.0.0.0/8 10.0.0.0/8"}) as server:
        response = httpx.get(server.url, headers=forwarded)
        access = server.wait_for_event("http.access")

    assert echo_of(response)["client"] == "203.0.113.9"
    assert echo_of(response)["scheme"] == "https"
    assert response.headers["strict-transport-security"].startswith("max-age=31536000")
    assert response.headers["x-request-id"] == "from-the-proxy"
    assert access["client"] == "203.0.113.9"
    assert access["request_id"] == "from-the-proxy"


def test_a_request_id_that_could_forge_a_log_line_is_replaced(package: str) -> None:
    with running_edge(package, env={"TRUSTED_PROXIES": "127.0.0.1"}) as server:
        response = httpx.get(server.url, headers={"X-Request-Id": 'x","event":"forged'})

    assert "forged" not in response.headers["x-request-id"]


@pytest.mark.parametrize("size", [16 * 1024, 16 * 1024 + 1])
def test_a_body_ends_at_the_limit_whatever_it_declares(edge: RunningServer, size: int) -> None:
    expected = 200 if size == 16 * 1024 else 413

    declared = httpx.post(edge.url, content=b"a" * size)
    chunked = httpx.post(edge.url, content=iter([b"a" * 1024] * 16 + [b"a" * (size % 1024)]))

    assert declared.status_code == chunked.status_code == expected


def test_a_failure_is_answered_by_a_fixed_text_and_logged_without_its_secrets(
    edge: RunningServer,
) -> None:
    response = httpx.get(f"{edge.url}/fail?token={CANARY}")

    failed = edge.wait_for_event("http.failed", request_id=response.headers["x-request-id"])
    assert response.status_code == 500
    assert response.text == "failed"
    assert "RuntimeError" in failed["exception"]
    assert CANARY not in edge.log
    assert "bob@example.com" not in edge.log


def test_a_failure_amid_an_answer_ends_the_connection(edge: RunningServer) -> None:
    answer = exchange(edge.port, b"GET /half HTTP/1.1\r\n" + HOST + b"\r\n")

    assert answer.endswith(b"\r\n\r\na")
    assert CANARY not in edge.log


def test_a_client_that_leaves_amid_its_body_leaves_a_line_and_no_error(
    edge: RunningServer,
) -> None:
    path = b"/left-early"
    request = POST.replace(b"POST / ", b"POST " + path + b" ") + b"Content-Length: 5\r\n\r\nab"
    with connection(edge.port) as connected:
        connected.sendall(request)

    access = edge.wait_for_event("http.access", path=path.decode())

    assert access["status"] == 0


def test_the_access_line_has_the_path_without_query_and_secrets(edge: RunningServer) -> None:
    key = "LIC-01234-56789-ABCDE-FGHJK-MNPQR-STVWX"

    response = httpx.get(f"{edge.url}/of/bob%40example.com/{key}?key={key}")

    access = edge.wait_for_event("http.access", request_id=response.headers["x-request-id"])
    assert access["path"] == "[email]/LIC-[key]"
    assert access["method"] == "GET"
    assert access["status"] == 200
    assert access["duration_ms"] >= 0
    assert access["time"].endswith("Z")
    assert key not in edge.log
    assert json.dumps(access).isascii()
