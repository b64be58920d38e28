import inspect
import json

import pytest

from license_server import errors, problems
from license_server.errors import (
    FieldError,
    InvalidField,
    LicenseServerError,
    NotReady,
    RateLimited,
    SigningUnavailable,
)
from license_server.problems import KINDS, MethodNotAllowed, render

CONTRACT = {
    400: {"MALFORMED_JSON", "INVALID_FIELD"},
    401: {"CREDENTIAL_MISSING", "CREDENTIAL_INVALID"},
    403: {"ROLE_FORBIDDEN"},
    404: {"NOT_FOUND"},
    409: {"IDEMPOTENCY_CONFLICT", "STATE_CONFLICT"},
    412: {"ETAG_MISMATCH"},
    413: {"BODY_TOO_LARGE"},
    415: {"UNSUPPORTED_MEDIA_TYPE"},
    422: {"KEY_MALFORMED"},
    429: {"RATE_LIMITED"},
    500: {"INTERNAL"},
    503: {"NOT_READY", "SIGNING_UNAVAILABLE"},
}
CLASSES = [
    found
    for module in (errors, problems)
    for _, found in inspect.getmembers(module, inspect.isclass)
    if issubclass(found, LicenseServerError)
]


def test_the_table_is_the_contracts_closed_list() -> None:
    assert {(kind.status, code) for code, kind in KINDS.items()} == {
        (status, code) for status, codes in CONTRACT.items() for code in codes
    }


@pytest.mark.parametrize("found", CLASSES, ids=lambda found: found.__name__)
def test_every_error_has_an_entry(found: type[LicenseServerError]) -> None:
    assert found.code in KINDS


@pytest.mark.parametrize(
    "error", [RuntimeError("secret=hunter2"), NotReady("hunter2"), SigningUnavailable("hunter2")]
)
def test_a_fault_of_the_server_shows_nothing_of_itself(error: Exception) -> None:
    assert b"hunter2" not in render(error, "r-1").body


def test_a_problem_has_the_members_of_the_contract_in_its_order() -> None:
    answer = render(InvalidField(FieldError("client.version", "a version is expected")), "r-1")

    assert json.loads(answer.body) == {
        "type": "/problems/invalid-field",
        "title": KINDS["INVALID_FIELD"].title,
        "status": 400,
        "code": "INVALID_FIELD",
        "detail": "client.version: a version is expected",
        "request_id": "r-1",
        "errors": [{"field": "client.version", "message": "a version is expected"}],
    }
    assert list(json.loads(answer.body))[:4] == ["type", "title", "status", "code"]
    assert (b"content-type", b"application/problem+json") in answer.headers
    assert (b"content-length", b"%d" % len(answer.body)) in answer.headers


@pytest.mark.parametrize(("wait", "header"), [(0, b"1"), (0.2, b"1"), (39.5, b"40")])
def test_a_rate_limit_says_in_whole_seconds_when_to_come_back(wait: float, header: bytes) -> None:
    answer = render(RateLimited("too many", retry_after_seconds=wait), "r-1")

    assert answer.status == 429
    assert (b"retry-after", header) in answer.headers


def test_what_may_be_better_soon_says_when_to_come_back() -> None:
    assert b"retry-after" in dict(render(NotReady("x"), "r-1").headers)


def test_a_wrong_method_is_405_under_the_code_of_a_wrong_path() -> None:
    answer = render(MethodNotAllowed("GET, HEAD"), "r-1")

    assert answer.status == json.loads(answer.body)["status"] == 405
    assert json.loads(answer.body)["code"] == "NOT_FOUND"
    assert (b"allow", b"GET, HEAD") in answer.headers
