"""The only reader of clocks: everything else takes `now` or one of these functions."""

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the wall clock as an aware instant in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this module is the reader


def monotonic_seconds() -> float:
    """Return seconds on a clock that no change of the wall clock moves: for limits and caches."""
    return time.monotonic()
