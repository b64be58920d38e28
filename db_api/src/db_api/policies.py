"""What callers of the data side are allowed, and what writes may do."""

from dataclasses import dataclass, replace
from typing import Final

from db_api.callers import Caller
from db_api.grammar.preferences import End
from db_api.grammar.request import Request
from db_api.plan import Bounds
from db_api.rest_errors import RestError


@dataclass(frozen=True, slots=True)
class CallerLimits:
    """What one kind of caller is allowed.

    Attributes:
        statement_timeout_ms: of each statement.
        max_rows: of one answer.
        aggregates: whether it may use aggregate functions.
        max_stream_bytes: of an answer of lines of text; None for any number.
    """

    statement_timeout_ms: int
    max_rows: int
    aggregates: bool = False
    max_stream_bytes: int | None = None

    @property
    def bounds(self) -> Bounds:
        """What a request may do."""
        return Bounds(self.max_rows, self.aggregates)


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """The limits of the data side.

    Attributes:
        anon: of `anon` keys.
        service: of everybody else.
        lock_timeout_ms: of each wait for a lock.
    """

    anon: CallerLimits
    service: CallerLimits
    lock_timeout_ms: int

    def of(self, caller: Caller) -> CallerLimits:
        """Return the limits of a caller."""
        return self.anon if caller.kind == "anon" else self.service


@dataclass(frozen=True, slots=True)
class WritePolicy:
    """What writes may do, whoever asks.

    Attributes:
        end: how a transaction ends when the client does not choose.
        lets_clients_end: whether it may choose, by `Prefer: tx=`.
        allows_unfiltered: whether a PATCH or DELETE needs no filter.
    """

    end: End = "commit"
    lets_clients_end: bool = False
    allows_unfiltered: bool = False

    def adapt(self, request: Request) -> Request:
        """Return the request without the preferences that it has no say in.

        Raises:
            RestError: it would change every row of a table and does not say that this is meant.
        """
        if not self.allows_unfiltered:
            _require_filter(request)
        if self.lets_clients_end:
            return request
        preferences = request.preferences.without_end()
        if preferences is request.preferences:
            return request
        return replace(request, preferences=preferences)


CAUTIOUS: Final = WritePolicy()


def _require_filter(request: Request) -> None:
    if request.method not in {"PATCH", "DELETE"} or request.query.where:
        return
    if request.query.is_about_all or request.preferences.max_affected is not None:
        return
    raise RestError(
        "DBAPI420",
        f"A {request.method} without a filter would change every row of '{request.name}'",
        hint="Add a filter such as id=eq.1, or say that all rows are meant: _all=true, or"
        " Prefer: handling=strict, max-affected=N.",
    )
