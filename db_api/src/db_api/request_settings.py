"""What SQL sees of a request: settings of its transaction, under PostgREST's names.

Policies, triggers and functions read them by `current_setting('request.headers', true)::json`.
Credentials are left out, so that no function of the customer's can store them.
"""

import json
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Final

from db_api.grammar.request import Request
from db_api.identifiers import quote_literal

_CREDENTIALS: Final = frozenset({b"apikey", b"authorization", b"proxy-authorization"})
_COOKIE: Final = b"cookie"


def write_settings(request: Request) -> str:
    """Write what sets them for a transaction that has begun; of a header given twice the last."""
    headers: dict[str, str] = {}
    cookies = ""
    for name, value in request.headers:
        if name == _COOKIE:
            cookies = _read_cookies(value)
        elif name not in _CREDENTIALS:
            headers[name.decode("latin-1")] = value.decode("latin-1")
    prefix = "/rpc/" if request.is_call else "/"
    settings = [
        ("request.method", request.method),
        ("request.path", prefix + request.name),
        ("request.headers", json.dumps(headers)),
    ]
    if cookies:
        settings.append(("request.cookies", cookies))
    return f"SELECT {', '.join(_write(settings))}"


def _write(settings: Iterable[tuple[str, str]]) -> Iterable[str]:
    return (f"set_config('{name}', {quote_literal(value)}, true)" for name, value in settings)


def _read_cookies(header: bytes) -> str:
    try:
        cookies = SimpleCookie(header.decode("latin-1"))
    except CookieError:
        return ""
    return json.dumps({name: cookie.value for name, cookie in cookies.items()})
