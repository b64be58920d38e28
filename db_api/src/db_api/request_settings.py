"""What SQL sees of a request: settings of its transaction, under PostgREST's names.

Policies, triggers and functions read them by `current_setting('request.headers', true)::json`.
Credentials are left out, so that no function of the customer's can store them.
"""

import json
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from typing import Final

from db_api.grammar.request import Request
from db_api.identifiers import quote_literal

_CREDENTIALS: Final = frozenset({b"apikey", b"authorization", b"proxy-authorization"})
_COOKIE: Final = b"cookie"


def write_settings(request: Request) -> str:
    """Write what sets them for a transaction that has begun; of a header given twice the last."""
    path = quote_literal(("/rpc/" if request.is_call else "/") + request.name)
    return (
        f"SET LOCAL request.method = '{request.method}';SET LOCAL request.path = {path};"
        + _write_headers(tuple(map(tuple, request.headers)))
    )


@lru_cache(maxsize=256)  # a client sends the same ones again and again
def _write_headers(pairs: tuple[tuple[bytes, bytes], ...]) -> str:
    headers: dict[str, str] = {}
    cookies = ""
    for name, value in pairs:
        if name == _COOKIE:
            cookies = _read_cookies(value)
        elif name not in _CREDENTIALS:
            headers[name.decode("latin-1")] = value.decode("latin-1")
    text = f"SET LOCAL request.headers = {quote_literal(json.dumps(headers))}"
    return f"{text};SET LOCAL request.cookies = {quote_literal(cookies)}" if cookies else text


def _read_cookies(header: bytes) -> str:
    try:
        cookies = SimpleCookie(header.decode("latin-1"))
    except CookieError:
        return ""
    return json.dumps({name: cookie.value for name, cookie in cookies.items()})
