import inspect
import json

import pytest
from starlette.requests import ClientDisconnect

from db_api import errors
from db_api.errors import DataApiError
from db_api.problems import STATUS, answer_error
from db_api.rest_errors import STATUS as REST_STATUS
from db_api.rest_errors import RestError

CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, DataApiError) and found is not DataApiError
]


def scope(path: str) -> dict[str, object]:
    return {"path": path, "state": {"request_id": "r-1"}}


def test_every_error_has_a_status_and_none_is_left_over() -> None:
    assert set(STATUS) == set(CLASSES)


def test_every_code_is_used_once() -> None:
    codes = [found.code for found in CLASSES]

    assert len(set(codes)) == len(codes)
    assert not set(codes) & set(REST_STATUS)


def test_a_foreign_error_shows_nothing_of_itself() -> None:
    answer = answer_error(RuntimeError("secret=hunter2"), scope("/api/schemas"))

    assert answer.status == 500
    assert b"hunter2" not in answer.body
    assert json.loads(answer.body)["code"] == "DBAPI001"


@pytest.mark.parametrize("error", [errors.NotFoundError("Nothing."), RestError("PGRST205", "No.")])
def test_each_side_has_its_own_body_whatever_failed(error: Exception) -> None:
    management = json.loads(answer_error(error, scope("/api/tables")).body)
    data = json.loads(answer_error(error, scope("/rest/v1/airports")).body)

    assert list(management) == ["error", "message", "code", "details", "hint", "requestId"]
    assert list(data) == ["code", "message", "details", "hint"]
    assert management["requestId"] == "r-1"


@pytest.mark.parametrize(
    ("error", "header"),
    [
        (errors.CredentialMissingError("x"), b"www-authenticate"),
        (errors.CredentialInvalidError("x"), b"www-authenticate"),
        (errors.TooManyRequestsError("x", 7), b"retry-after"),
        (errors.NotReadyError("x"), b"retry-after"),
        (errors.MigrationNeededError("x"), b"retry-after"),
        (errors.MethodNotAllowedError(("GET",)), b"allow"),
    ],
)
def test_an_error_brings_the_header_that_http_asks_for(error: DataApiError, header: bytes) -> None:
    assert header in dict(answer_error(error, scope("/api/schemas")).headers)


def test_a_client_that_leaves_early_is_no_fault_of_ours() -> None:
    assert answer_error(ClientDisconnect(), scope("/api/license/validate")).status == 400
