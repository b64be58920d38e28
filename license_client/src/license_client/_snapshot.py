"""What a process holds in memory: the cache as it was read, and what of it can be believed."""

from typing import Final, NamedTuple

from license_client._cache import Document
from license_client._clock import Reading
from license_client._decision import Decision
from license_client._keyset import Trust, resume
from license_client._settings import Settings
from license_client._store import Content, Stamp
from license_client._verify import verify_kept
from license_client.errors import DecisionRejectedError, KeySetRejectedError
from license_client.policy import Stored

_UNLICENSED: Final = "UNLICENSED"
_FOREIGN_RULES: Final = frozenset({"audience", "key-binding", "owner-binding"})


class Snapshot(NamedTuple):
    """A document, verified.

    Attributes:
        document: None where there is no cache, or none that can be read.
        stamp: of the file that it came from.
        trust: from the shipped anchor as far as the cached chain leads.
        stored: the decision, when it is one for our product, key and owner.
        problem: code that says why there is none.
        foreign: there is a decision, signed by the vendor, for another product, key or owner.
        arrived_wall: what the wall clock said, or must have said, when the decision arrived.
    """

    document: Document | None
    stamp: Stamp
    trust: Trust
    stored: Stored | None
    problem: str
    foreign: bool
    arrived_wall: int

    @property
    def is_given_up(self) -> bool:
        """Whether this is a sound cache from which the decision was removed on purpose."""
        return self.document is not None and self.document.decision is None


def take_snapshot(settings: Settings, content: Content, now: Reading) -> Snapshot:
    """Verify what a cache file holds; nothing in it is believed because it was there."""
    document = content.document
    problem = "CACHE_UNREADABLE" if content.problem else _UNLICENSED
    empty = Snapshot(
        document,
        content.stamp,
        settings.anchor,
        stored=None,
        problem=problem,
        foreign=False,
        arrived_wall=now.wall,
    )
    if document is None:
        return empty
    try:
        trust = resume(settings.anchor, document.key_sets)
    except KeySetRejectedError:
        return empty._replace(problem="KEYSET_REJECTED")
    known = empty._replace(trust=trust)
    if document.decision is None:
        return known
    try:
        decision = _verify(settings, document.decision, trust)
    except DecisionRejectedError as error:
        foreign = error.rule in _FOREIGN_RULES
        return known._replace(foreign=foreign, problem=_UNLICENSED if foreign else error.code)
    stored = Stored(decision, document.received, document.high_water)
    return known._replace(stored=stored, arrived_wall=_arrival(stored, now))


def _verify(settings: Settings, token: str, trust: Trust) -> Decision:
    if settings.credentials is None:
        raise DecisionRejectedError("no license key is configured", rule="key-binding")
    return verify_kept(
        token,
        key_set=trust.current,
        product=settings.product,
        credentials=settings.credentials,
    )


def _arrival(stored: Stored, now: Reading) -> int:
    """Return what the wall clock must have said when the decision arrived."""
    elapsed = stored.received.elapsed(now) if stored.received else None
    return stored.decision.issued_at if elapsed is None else now.wall - elapsed
