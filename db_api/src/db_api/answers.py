"""From the row that a statement returned to the answer's status, headers and body."""

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from db_api.catalog import Function, Table
from db_api.grammar.ranges import Page, content_range, status_of_page
from db_api.grammar.request import Request
from db_api.rest_errors import RestError

Header = tuple[str, str]

MOUNT: Final = "/rest/v1"
"""Where the data side is."""

_WHOLE: Final = Page(0, None)


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement returned.

    Attributes:
        body: the rows as JSON.
        rows: how many they are.
        total: how many the whole result has, or were written, or were new in an upsert; None if
            not counted.
        is_cut: the server's cap left rows out.
        last_keys: of the page's last row, if a row follows it and that was asked for.
    """

    body: bytes
    rows: int
    total: int | None
    is_cut: bool
    last_keys: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, without what the server adds to every one."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


def require_one_row(request: Request, result: Result) -> None:
    """Refuse to show other than one row where the client wants exactly one.

    Raises:
        RestError: there are none or several.
    """
    if request.representation.is_object and result.rows != 1:
        raise RestError(
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
            details=f"The result contains {result.rows} rows",
        )


def require_few_rows(request: Request, result: Result) -> None:
    """Refuse a write of more rows than the client expects (`Prefer: max-affected`).

    Raises:
        RestError: there are more.
    """
    at_most = request.preferences.max_affected
    if at_most is not None and result.total is not None and result.total > at_most:
        raise RestError(
            "PGRST124",
            "Query result exceeds max-affected preference constraint",
            details=f"The query affects {result.total} rows",
        )


def next_page(request: Request, token: str) -> Header:
    """Write the link to the page that begins after this one."""
    kept = [
        pair
        for pair in request.query_string.decode("latin-1").split("&")
        if pair and pair.partition("=")[0] not in {"_after", "offset"}
    ]
    query = "&".join((*kept, f"_after={token}"))
    return ("Link", f'<{MOUNT}/{quote(request.name, safe="")}?{query}>; rel="next"')


def begin_read(request: Request, total: int | None) -> Answer:
    """Begin to answer GET with rows whose number is not known yet; the body is empty."""
    ranged = ("Content-Range", f"*/{'*' if total is None else total}")
    applied = _preference_headers(request, "count", "tx", "handling")
    return Answer(200, (ranged, *_content_headers(request), *applied), b"")


def answer_read(request: Request, result: Result, *more: Header) -> Answer:
    """Answer GET and HEAD.

    Args:
        request: what was asked.
        result: what was found.
        more: headers besides.

    Raises:
        RestError: the page begins past the end, or is not the one row that was asked for.
    """
    ranged = ("Content-Range", content_range(request.page, result.rows, result.total))
    status = status_of_page(request.page, result.rows, result.total)
    require_one_row(request, result)
    headers = [
        ranged,
        *_content_headers(request),
        *_preference_headers(request, "count", "tx", "handling"),
        *more,
    ]
    if result.is_cut:
        headers.append(("X-Result-Truncated", "true"))
    return Answer(status, tuple(headers), result.body)


def answer_call(request: Request, function: Function, result: Result) -> Answer:
    """Answer the call of a function.

    Raises:
        RestError: as `answer_read`.
    """
    answer = answer_read(request, result)
    if not function.is_void:
        return answer
    headers = tuple(header for header in answer.headers if header[0] != "Content-Type")
    return Answer(204, headers, b"")


def answer_insert(request: Request, table: Table, result: Result) -> Answer:
    """Answer POST of rows: 200 where it was an upsert and none of them was new."""
    returning = request.preferences.returning
    status = 200 if result.total == 0 else 201
    kinds = ["missing", "return", "count", "tx", "handling"]
    if table.primary_key or request.query.on_conflict:
        kinds.append("resolution")
    headers = [
        ("Content-Range", content_range(_WHOLE, 0, _counted(request, result))),
        *_preference_headers(request, *kinds),
    ]
    if returning == "representation":
        return Answer(status, (*headers, *_content_headers(request)), result.body)
    if returning == "headers-only" and table.primary_key and result.rows == 1:
        headers.append(("Location", _location(table, result.body)))
    return Answer(status, tuple(headers), b"")


def answer_put(request: Request, result: Result) -> Answer:
    """Answer PUT."""
    headers = _preference_headers(request, "return", "count", "tx", "handling")
    if request.preferences.returning != "representation":
        return Answer(204, tuple(headers), b"")
    status = 201 if result.total else 200
    return Answer(status, (*headers, *_content_headers(request)), result.body)


def answer_update(request: Request, result: Result) -> Answer:
    """Answer PATCH."""
    ranged = content_range(_WHOLE, result.rows, _counted(request, result))
    kinds = ("missing", "return", "count", "tx", "handling", "max-affected")
    headers = (("Content-Range", ranged), *_preference_headers(request, *kinds))
    return _answer_change(request, headers, result)


def answer_delete(request: Request, result: Result) -> Answer:
    """Answer DELETE."""
    kinds = ("return", "count", "tx", "handling", "max-affected")
    ranged = content_range(_WHOLE, 0, _counted(request, result))
    headers = (("Content-Range", ranged), *_preference_headers(request, *kinds))
    return _answer_change(request, headers, result)


def _answer_change(request: Request, headers: tuple[Header, ...], result: Result) -> Answer:
    if request.preferences.returning != "representation":
        return Answer(204, headers, b"")
    return Answer(200, (*headers, *_content_headers(request)), result.body)


def _counted(request: Request, result: Result) -> int | None:
    return result.rows if request.preferences.count in {"exact", "estimated"} else None


def _content_headers(request: Request) -> list[Header]:
    headers = [("Content-Type", request.representation.content_type)]
    if request.profile is not None:
        headers.append(("Content-Profile", request.profile))
    return headers


def _preference_headers(request: Request, *kinds: str) -> list[Header]:
    applied = request.preferences.applied(*kinds)
    return [("Preference-Applied", applied)] if applied else []


def _location(table: Table, body: bytes) -> str:
    """Write the path of a new row, as PostgREST: without the mount's prefix."""
    row: dict[str, str | bool | None] = json.loads(body, parse_float=str, parse_int=str)[0]
    conditions = "&".join(
        f"{quote(name, safe='')}={quote(_condition(value), safe='')}" for name, value in row.items()
    )
    return f"/{quote(table.name, safe='')}?{conditions}"


def _condition(value: str | bool | None) -> str:  # noqa: FBT001 - a JSON value, no switch
    if value is None:
        return "is.null"
    return f"eq.{json.dumps(value) if isinstance(value, bool) else value}"
