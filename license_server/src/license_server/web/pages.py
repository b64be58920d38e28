"""Addresses of pages: which one a path names, and what is in its braces."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from starlette.types import Receive, Scope, Send

from license_server.errors import (
    CredentialInvalid,
    EtagMismatch,
    IdempotencyConflict,
    InvalidField,
    KeyMalformed,
    NotFound,
    RateLimited,
    StateConflict,
)
from license_server.middleware import RawResponse
from license_server.problems import MethodNotAllowed
from license_server.web.answers import send_response
from license_server.web.requests import ClientLeft, Request, read_request

_METHODS: Final = ("GET", "HEAD", "POST")
_VALUE: Final = r"(?P<\1>[A-Za-z0-9][A-Za-z0-9._:-]{0,63})"

Streaming = Callable[[Send], Awaitable[None]]
Answer = RawResponse | Streaming
Visit = TypeVar("Visit")

FOR_THE_FORM: Final = (
    CredentialInvalid,
    EtagMismatch,
    IdempotencyConflict,
    InvalidField,
    KeyMalformed,
    RateLimited,
    StateConflict,
)
"""What the sender of a form can mend in it."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Visit]):
    """An address of a site.

    A form is sent to the address of its page. What is refused is shown in that page again, with
    what was typed.

    Attributes:
        path: behind the site's own, with names in braces.
        show: answers GET.
        submit: answers POST; None = there is nothing to send.
    """

    path: str
    show: Callable[[Visit], Awaitable[Answer]]
    submit: Callable[[Visit], Awaitable[Answer]] | None = None


class Pages(Generic[Visit]):
    """The pages of a site.

    Args:
        base: path of the site.
        pages: the first one that matches is meant.
    """

    def __init__(self, base: str, pages: Sequence[Page[Visit]]) -> None:
        self._patterns = [(_pattern(base, page.path), page) for page in pages]

    def find(self, path: str) -> tuple[Page[Visit], Mapping[str, str]]:
        """Return the page of a path, and what is in its braces.

        Raises:
            NotFound: there is none.
        """
        for pattern, page in self._patterns:
            match = pattern.fullmatch(path)
            if match is not None:
                return page, match.groupdict()
        raise NotFound("there is no such page")


async def serve(
    scope: Scope, receive: Receive, send: Send, answer: Callable[[Request], Awaitable[Answer]]
) -> None:
    """Read the request of a browser and send its answer.

    Raises:
        MethodNotAllowed: it is neither GET nor POST.
        LicenseServerError: it is malformed, or whatever `answer` raises.
    """
    if scope["method"] not in _METHODS:
        raise MethodNotAllowed(", ".join(_METHODS))
    try:
        request = await read_request(scope, receive)
    except ClientLeft:
        return
    answered = await answer(request)
    if isinstance(answered, RawResponse):
        await send_response(send, answered)
    else:
        await answered(send)


def _pattern(base: str, path: str) -> re.Pattern[str]:
    return re.compile(base + re.sub(r"\{(\w+)\}", _VALUE, path))
