import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog

from license_server.logs import REQUEST_ID, AccessLog, configure, redact

KEY = "LIC-01234-56789-ABCDE-FGHJK-MNPQR-STVWX"
HEX = "0123456789abcdef" * 4
CANARIES = {
    "a license key": KEY,
    "a key in lower case with spaces": KEY.lower().replace("-", " "),
    "a key without dashes": KEY.replace("-", ""),
    "an admin token": "lsk_9f8e7d6c5b4a",
    "64 hex digits": HEX,
    "an email": "Bob.O+x@mail.example.com",
    "basic credentials": "Basic Ym9iOmh1bnRlcjI=",
    "bearer credentials": "Bearer abc.def-ghi",
    "a password in a URL": "postgresql://app:hunter2@db.example.com/x",
    "a named password": "password=hunter2",
    "a password in JSON": '{"AUTH_PASS": "hunter2"}',
    "a header": "authorization: hunter2",
    "a key in PEM": "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
}
SECRETS = (
    *(KEY, KEY.lower(), KEY.lower().replace("-", " "), KEY.replace("-", "")),
    *("lsk_9f8e7d6c5b4a", HEX, "Bob.O", "mail.example", "Ym9iOmh1", "abc.def", "hunter2"),
)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """The log of a configured process, which is left as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    configure("info", written)
    yield written
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def holds_a_secret(text: str) -> bool:
    return any(secret in text for secret in SECRETS)


@pytest.mark.parametrize("text", CANARIES.values(), ids=CANARIES)
def test_a_secret_is_masked_wherever_it_stands(text: str) -> None:
    assert not holds_a_secret(redact(text))
    assert not holds_a_secret(redact(f"before {text} after"))
    assert not holds_a_secret(redact(f"({text!r})"))


@pytest.mark.parametrize(
    "text",
    [
        "the database does not answer",
        "lic_3q9x5m2k8n7p4r6t1v0w9y8z7x",
        "0d6f2a52-6c1c-4d0e-8f0e-0123456789ab",
        'File "/usr/lib/python3.11/site-packages/uvicorn/server.py", line 99, in __call__',
        "asyncpg.exceptions.InvalidCachedStatementError",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("text", CANARIES.values(), ids=CANARIES)
def test_no_way_into_the_log_lets_a_secret_through(stream: io.StringIO, text: str) -> None:
    ours = structlog.get_logger("license_server.test")
    ours.warning("test.event", value=text, nested={"list": [text]}, number=7)
    ours.warning("test.event", several=(text, None, 1.5))
    error = RuntimeError(text)
    error.__cause__ = ValueError(text)
    ours.error("test.failed", exc_info=error)
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=error)
    logging.getLogger("asyncpg").warning("%s", text)

    assert len(stream.getvalue().splitlines()) == 5
    assert not holds_a_secret(stream.getvalue())


def test_a_line_is_one_json_object_that_begins_with_time_level_and_event(
    stream: io.StringIO,
) -> None:
    structlog.get_logger("license_server.test").warning("test.event", text="a\nb", number=7)

    (line,) = stream.getvalue().splitlines()
    event = json.loads(line)
    assert list(event)[:3] == ["time", "level", "event"]
    assert event["time"].endswith("Z")
    assert event["text"] == "a\nb"
    assert event["number"] == 7


def test_libraries_log_under_one_event_name_and_from_warnings_on(stream: io.StringIO) -> None:
    logging.getLogger("alembic").info("chatter")
    logging.getLogger("alembic").warning("watch out")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")

    (event,) = map(json.loads, stream.getvalue().splitlines())
    assert (event["event"], event["logger"], event["message"]) == ("log", "alembic", "watch out")


def test_what_is_below_the_level_is_dropped(stream: io.StringIO) -> None:
    configure("error", stream)

    structlog.get_logger("license_server.test").warning("test.event")

    assert stream.getvalue() == ""


def test_a_line_within_a_request_carries_its_id(stream: io.StringIO) -> None:
    token = REQUEST_ID.set("r-1")
    structlog.get_logger("license_server.test").warning("test.event")
    REQUEST_ID.reset(token)

    assert json.loads(stream.getvalue())["request_id"] == "r-1"


def write_access(stream: io.TextIOBase | None, path: str = "/v1/keyset") -> None:
    """Write one access line."""
    AccessLog(lambda: datetime(2026, 11, 23, 12, tzinfo=UTC), stream).write(  # type: ignore[arg-type]  # a double of a file
        request_id="r-1",
        client="192.0.2.1",
        method="GET",
        path=path,
        status=200,
        seconds=0.00123,
    )


def test_an_access_line_has_the_form_of_all_lines() -> None:
    stream = io.StringIO()

    write_access(stream, '/a"b\n')

    assert json.loads(stream.getvalue()) == {
        "time": "2026-11-23T12:00:00.000Z",
        "level": "info",
        "event": "http.access",
        "request_id": "r-1",
        "client": "192.0.2.1",
        "method": "GET",
        "path": '/a"b\n',
        "status": 200,
        "duration_ms": 1.23,
    }


@pytest.mark.parametrize("text", CANARIES.values(), ids=CANARIES)
def test_a_secret_in_a_path_is_masked(text: str) -> None:
    stream = io.StringIO()

    write_access(stream, f"/v1/{text}")

    assert not holds_a_secret(stream.getvalue())


def test_a_full_disk_ends_no_request() -> None:
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    closed = io.StringIO()
    closed.close()
    for stream in (Full(), closed, None):
        write_access(stream)
