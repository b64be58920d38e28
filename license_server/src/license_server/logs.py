"""JSON lines on stderr, in UTC, without a secret in any of them.

Everything goes through one handler: our events (`structlog.get_logger().warning("area.event")`, of
fixed names), what libraries log (event `log`), and tracebacks. What looks like a secret is masked
in the finished text, so that an exception's message cannot carry one out either. Only the access
line takes a shorter way: there is one a request, and it holds nothing free but the masked path.
"""

import json
import logging
import re
import sys
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id")
"""Set for the time of a request; each of its log lines carries it."""

_NAMES: Final = "authorization|auth_pass|password|passwd|secret|token|pepper|[a-z]{3,}[_-]?key"
_MASKS: Final = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"(?s)-----BEGIN [^-]+-----.*?-----END [^-]+-----", "[pem]"),
        (r"(?<=://)[^/\s@]+(?=@)", "[credentials]"),
        (r"(?i)\b(basic|bearer)\s+[\w+/=.~-]{4,}", r"\1 [credentials]"),
        (rf"(?i)([\w-]*(?:{_NAMES})[\w-]*[\"']?\s*[:=]\s*[\"']?)[^\s\"',;&)}}\]]+", r"\1[secret]"),
        (r"lsk_\w+", "[token]"),
        # license keys however grouped, 64 hex digits, and any unbroken run as long as a key
        (r"(?:[0-9A-Za-z]{5}[\s\u2010-\u2015\u2212-]?){5}[0-9A-Za-z]{5,}", "[key]"),
        (r"[^\s@<>\"'(),;:=\[\]]+@[^\s@<>\"'(),;:\[\]/]+\.[^\s@<>\"'(),;:\[\]/]+", "[email]"),
    )
)


def redact(text: str) -> str:
    """Mask what looks like a key, token, password, credential or email."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def configure(level: str, stream: TextIO = sys.stderr) -> None:
    """Send every log of the process through the one handler; for entry points only.

    Args:
        level: debug, info, warning or error; what lies below is dropped. Libraries log warnings
            and errors.
        stream: where the lines go.
    """
    before: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_request_id,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_name_foreign_event, *before],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _redact_values,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(__name__.partition(".")[0]).setLevel(level.upper())
    # below errors uvicorn repeats what we log ourselves, in free text
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


class AccessLog:
    """One line a request, written directly: a tenth of the cost of an event.

    Args:
        now: the wall clock.
        stream: where the lines go, or None for nowhere.
    """

    def __init__(self, now: Callable[[], datetime], stream: TextIO | None) -> None:
        self._now = now
        self._stream = stream

    def write(
        self, *, request_id: str, client: str, method: str, path: str, status: int, seconds: float
    ) -> None:
        """Write the line of one answered request.

        Args:
            request_id: the id that the answer carries.
            client: address of the peer, or of the client that a trusted proxy named.
            method: of the request.
            path: decoded, without the query.
            status: of the answer; 0 when there was none.
            seconds: from the request's head to the end of its answer.
        """
        if self._stream is None:
            return
        time = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = (
            f'{{"time":"{time}","level":"info",'
            f'"event":"http.access","request_id":"{request_id}","client":"{client}",'
            f'"method":"{method}","path":{_loggable(path)},"status":{status},{self.members()}'
            f'"duration_ms":{seconds * 1000:.2f}}}\n'
        )
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError):
            pass  # a full disk or a closed pipe must not take the service down with it

    def members(self) -> str:
        """Return what else a line holds, as JSON members that each end with a comma."""
        return ""


@lru_cache(maxsize=1024)
def _loggable(path: str) -> str:
    return json.dumps(redact(path[:256]))


def _add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    request_id = REQUEST_ID.get(None)
    if request_id is not None:
        event["request_id"] = request_id
    return event


def _name_foreign_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Give what a library logs one event name, its logger's name and its text."""
    event.update(event="log", logger=event["_record"].name, message=event["event"])
    return event


def _redact_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask inside of all values, and put first what a reader looks for first."""
    first = {name: event.pop(name) for name in ("time", "level", "event")}
    return {name: _redacted(value) for name, value in {**first, **event}.items()}


def _redacted(value: object) -> object:
    """Mask inside of any value; what is no number or list is logged as its text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return redact(str(value))
