"""How the reference says no: a flaw found by a rule, a rejection with its reason code."""

from collections.abc import Iterator
from contextlib import contextmanager


class FlawError(Exception):
    """One rule is broken; the text is its slug, for example `base64url`."""


class RejectedError(Exception):
    """An artefact is refused: a reason code of the contract and the slug of the broken rule."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@contextmanager
def rejecting(reason: str) -> Iterator[None]:
    """Give the flaws found inside the reason code of the artefact that is being read."""
    try:
        yield
    except FlawError as flaw:
        raise RejectedError(reason, str(flaw)) from flaw


def require(condition: object, slug: str) -> None:
    """Raise `FlawError(slug)` unless the condition holds."""
    if not condition:
        raise FlawError(slug)
