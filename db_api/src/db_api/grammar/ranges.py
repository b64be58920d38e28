"""Which page of a result is asked for, and how an answer names it.

A page is asked for by `limit` and `offset`, by `Range: 0-9`, or by both: then it is what they
have in common.
"""

import re
from dataclasses import dataclass
from typing import Final

from db_api.grammar.query import MAX_BIGINT
from db_api.rest_errors import RestError

_RANGE: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})?")


@dataclass(frozen=True, slots=True)
class Page:
    """Rows `offset` to `offset + limit - 1`, counted from 0; without a limit, to the end."""

    offset: int
    limit: int | None


def read_range(header: str) -> Page | None:
    """Read a `Range` header; None for a unit or form that is not ours, which HTTP ignores.

    Raises:
        RestError: it ends before it begins.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None:
        return None
    lower = int(found[1])
    if found[2] is None:
        return Page(lower, None)
    limit = int(found[2]) - lower + 1
    if limit <= 0:
        raise RestError(
            "PGRST103",
            "Requested range not satisfiable",
            details="The lower boundary must be lower than or equal to the upper boundary in the"
            " Range header.",
        )
    return Page(lower, limit)


def intersect(one: Page, other: Page) -> Page:
    """Return the rows that both pages hold."""
    offset = max(one.offset, other.offset)
    end = min(_end(one), _end(other))
    if end > MAX_BIGINT:
        return Page(offset, None)
    return Page(offset, max(end - offset, 0))


def _end(page: Page) -> int:
    return 2 * MAX_BIGINT if page.limit is None else page.offset + page.limit


def content_range(page: Page, rows: int, total: int | None) -> str:
    """Write `Content-Range` for a page of `rows` rows out of `total`, None if not known."""
    known = "*" if total is None else str(total)
    if rows == 0 or total == 0:
        return f"*/{known}"
    return f"{page.offset}-{page.offset + rows - 1}/{known}"


def status_of_page(page: Page, rows: int, total: int | None) -> int:
    """Tell the status of a page.

    Raises:
        RestError: it begins past the end.
    """
    if total is None:
        return 200
    if page.offset > total:
        raise RestError(
            "PGRST103",
            "Requested range not satisfiable",
            details=f"An offset of {page.offset} was requested, but there are only {total} rows.",
            headers=(("Content-Range", f"*/{total}"),),
        )
    return 206 if rows < total else 200
