import asyncio
import hashlib
import json
from collections.abc import Iterator

import pytest

from license_server import base64url
from license_server.license_keys import LicenseKey
from support.license_api import LicenseApi, body
from support.licensing import MemoryLicenses, MemoryServer, claims_in

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/licenses/renew", "/v1/licenses/validate/"])
async def test_an_unknown_path_is_a_problem(path: str) -> None:
    response = await LicenseApi().request("GET", path)

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "NOT_FOUND"
    assert response.json()["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/licenses/validate", "POST"),
        ("DELETE", "/v1/keyset", "GET, HEAD"),
        ("POST", "/livez", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(method: str, path: str, allowed: str) -> None:
    response = await LicenseApi().request(method, path)

    assert response.status_code == response.json()["status"] == 405
    assert response.headers["allow"] == allowed
    assert response.json()["code"] == "NOT_FOUND"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/jsonp", "text/json"])
async def test_a_body_that_is_not_declared_as_json_is_not_read(content_type: str) -> None:
    response = await LicenseApi().request(
        "POST",
        "/v1/licenses/validate",
        content=body(),
        headers={"Content-Type": content_type},
    )

    assert response.status_code == 415
    assert response.json()["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        pytest.param(b"{", 400, "MALFORMED_JSON", id="malformed"),
        pytest.param(b"[" * 16_000, 400, "MALFORMED_JSON", id="deep"),
        pytest.param(body(nonce="short"), 400, "INVALID_FIELD", id="field"),
        pytest.param(body(email="nobody"), 400, "INVALID_FIELD", id="email"),
        pytest.param(body(license_key="LIC-1"), 422, "KEY_MALFORMED", id="key"),
        pytest.param(b" " * 16_385, 413, "BODY_TOO_LARGE", id="too large"),
    ],
)
async def test_an_unreadable_request_is_a_problem_and_never_a_decision(
    content: bytes, status: int, code: str
) -> None:
    response = await LicenseApi().post(content=content)

    assert response.status_code == status
    assert response.json()["code"] == code
    assert "decision" not in response.json()


async def test_a_database_that_is_down_is_503_and_says_when_to_come_back() -> None:
    api = LicenseApi(MemoryServer(MemoryLicenses(is_down=True)))

    for response in (await api.post(), await api.request("GET", "/readyz")):
        assert response.status_code == 503
        assert response.json()["code"] == "NOT_READY"
        assert int(response.headers["retry-after"]) > 0


async def test_alive_is_asked_of_nobody() -> None:
    api = LicenseApi(MemoryServer(MemoryLicenses(is_down=True)))

    assert (await api.request("GET", "/livez")).json() == {"status": "alive"}
    assert (await api.request("HEAD", "/livez")).status_code == 200


async def test_ready_means_that_decisions_can_be_given() -> None:
    assert (await LicenseApi().request("GET", "/readyz")).json() == {"status": "ready"}


@pytest.mark.parametrize("operation", ["activate", "validate", "deactivate"])
async def test_an_answer_is_bound_to_the_operation_and_the_exact_body(operation: str) -> None:
    content = body().replace(b",", b" ,\t", 1)

    response = await LicenseApi().post(operation, content)

    digest = hashlib.sha256(f"req1.{operation}\n".encode() + content).digest()
    assert response.status_code == 200
    assert claims_in(response.json()["decision"])["req"] == base64url.encode(digest)


async def test_an_answer_has_the_members_of_the_contract_in_its_order() -> None:
    current = (await LicenseApi().post()).json()
    behind = (await LicenseApi().post(content=body(keyset_epoch=0))).json()

    members = ["valid", "code", "status", "warnings", "message", "server_time", "decision"]
    assert list(current) == members
    assert list(behind) == [*members, "keyset"]
    assert behind["keyset"] == (await LicenseApi().request("GET", "/v1/keyset")).json()["keyset"]
    assert current["server_time"] == claims_in(current["decision"])["iat"]


async def test_an_unknown_key_is_a_signed_no_with_status_200() -> None:
    content = body(license_key=LicenseKey.generate().reveal("LIC"))

    response = await LicenseApi().post(content=content)

    assert response.status_code == 200
    assert response.json()["code"] == "LICENSE_NOT_FOUND"
    assert response.json()["status"] is None
    assert claims_in(response.json()["decision"])["val"] is False


async def test_key_sets_are_sent_once_and_then_only_if_they_changed() -> None:
    api = LicenseApi()

    first = await api.request("GET", "/v1/keyset", params={"since": "0"})
    tag = first.headers["etag"]
    again = await api.request("GET", "/v1/keyset", headers={"If-None-Match": f'"x", W/{tag}'})
    newer = await api.request("GET", "/v1/keyset", headers={"If-None-Match": '"x"'})

    assert [len(first.json()["keyset"]), again.status_code, newer.status_code] == [1, 304, 200]
    assert again.content == b""
    assert again.headers["etag"] == tag
    assert first.headers["cache-control"] == again.headers["cache-control"] == "no-cache"
    assert (await api.request("GET", "/v1/keyset?since=1")).json() == {"keyset": []}


@pytest.mark.parametrize("since", ["", "x", "-1", "1.0", "1e3", "٣", "2147483648", "9" * 5000])
async def test_an_epoch_that_is_none_is_named(since: str) -> None:
    response = await LicenseApi().request("GET", "/v1/keyset", params={"since": since})

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["since"]


async def test_a_source_that_asks_too_often_is_told_when_to_come_back() -> None:
    api = LicenseApi(per_minute=3)
    for _ in range(3):
        assert (await api.post()).status_code == 200

    api.seconds = 20
    refused = await api.post()

    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "40"
    assert (await api.post(source="192.0.2.2")).status_code == 200
    api.seconds = 60
    assert (await api.post()).status_code == 200


async def test_of_many_guessed_keys_few_reach_the_database() -> None:
    api = LicenseApi(per_minute=600)
    guesses = [body(license_key=LicenseKey.generate().reveal("LIC")) for _ in range(200)]

    statuses = [(await api.post(content=guess)).status_code for guess in guesses]

    assert statuses.count(200) <= 60
    assert statuses.count(429) == 200 - statuses.count(200)


async def test_a_site_of_ipv6_addresses_is_one_source() -> None:
    api = LicenseApi(per_minute=1)

    first = await api.post(source="2001:db8::1")
    neighbor = await api.post(source="2001:db8::2")
    stranger = await api.post(source="2001:db8:0:1::1")

    assert [r.status_code for r in (first, neighbor, stranger)] == [200, 429, 200]


async def test_a_client_that_leaves_amid_its_body_gets_nothing() -> None:
    api = LicenseApi()
    sent: list[object] = []
    messages: Iterator[dict[str, object]] = iter(
        [
            {"type": "http.request", "body": b"{", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(message: object) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/licenses/validate",
        "scheme": "http",
        "client": ("192.0.2.1", 1),
        "headers": [(b"content-type", b"application/json; charset=utf-8")],
    }
    await asyncio.wait_for(api.app(scope, receive, send), 10)

    assert sent == []
    assert json.loads(api.log.getvalue())["status"] == 0


async def test_what_is_not_ours_is_a_fixed_problem() -> None:
    class Broken(MemoryLicenses):
        async def find(self, _visit: object) -> None:
            raise RuntimeError("password=hunter2")

    response = await LicenseApi(MemoryServer(Broken())).post()

    assert response.status_code == 500
    assert response.json()["code"] == "INTERNAL"
    assert "hunter2" not in response.text
    assert "RuntimeError" not in response.text
