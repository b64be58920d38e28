"""How bodies of the data side come in and go out, without Starlette's own objects."""

from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from db_api.answers import Answer
from db_api.rest_errors import RestError, render_error

_BODILESS: Final = frozenset({204, 205, 304})
"""Statuses whose answers end with their head (RFC 9110, 6.4.1 and 15.3.6); a function of the
customer's may choose one, and a body would be read as the beginning of the next answer."""


async def read_body(receive: Receive) -> bytes:
    """Read a whole body; whoever calls the application limits its size.

    Raises:
        ClientDisconnect: the client left before its end.
    """
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def refusal_of(error: RestError) -> Answer:
    """Write the answer that says why a request is refused."""
    body = render_error(error.code, error.message, error.details, error.hint)
    content_type = ("Content-Type", "application/json; charset=utf-8")
    return Answer(error.status, (content_type, *error.headers), body)


async def send_answer(answer: Answer, scope: Scope, send: Send) -> None:
    """Send a whole answer; to HEAD its headers alone."""
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    has_body = answer.status not in _BODILESS
    if has_body and scope["method"] != "HEAD":
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if has_body else b""})
