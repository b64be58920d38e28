"""What an answer or a license file may replace: what the cache shall hold after it, or None.

Answers are ordered by the request that they are bound to, not by their time: the refresh lock is
held during a call and a nonce dies with its call. So a verified answer replaces what is stored
even when it is older by the server's clock: a clock that once ran ahead must not make a license
immune to revocation.

License files have no request that would order them, only their time: one that was kept from better
days must not take the place of what the vendor has said since, yes or no.
"""

from typing import NamedTuple

from license_client._cache import Document
from license_client._clock import Reading
from license_client._credentials import Credentials
from license_client._decision import Decision
from license_client._keyset import Trust
from license_client._license_file import rejected_file, verify_file
from license_client._settings import Settings
from license_client._snapshot import Snapshot
from license_client.policy import HighWater, contradicts, mark_of


class Answer(NamedTuple):
    """A verified decision, and the token that it came as."""

    decision: Decision
    token: str


def new_document() -> Document:
    """Return the cache of a machine that has just come into being."""
    from uuid import uuid4  # noqa: PLC0415 - once in the life of a cache

    return Document(None, (), str(uuid4()), None, None)


def with_trust(trust: Trust, known: Snapshot) -> Document | None:
    """Keep newer key sets, whatever becomes of the decision that they came with."""
    if trust.current.epoch <= known.trust.current.epoch:
        return None
    return (known.document or new_document())._replace(key_sets=trust.documents)


def with_answer(answer: Answer, asked: Reading, known: Snapshot) -> Document | None:
    """Put a verified answer in its place.

    A no about our key never replaces what another key was given; a no that cannot be true of a
    key that was good replaces nothing.

    Args:
        answer: verified.
        asked: the clocks when it was asked for. From then on it ages: a process that is stopped,
            or a machine that sleeps, between the two must not make an old decision new.
        known: what is stored.
    """
    decision = answer.decision
    if known.foreign and not decision.valid:
        return None
    if contradicts(known.stored.decision if known.stored else None, decision):
        return None
    document = known.document or new_document()
    if decision.code == "DEACTIVATED":
        return document.without_decision()
    mark = mark_of(asked)
    return document._replace(
        decision=answer.token, received=mark, high_water=HighWater(decision.issued_at, mark)
    )


def with_file(
    file: bytes,
    settings: Settings,
    credentials: Credentials,
    installed: Reading,
    known: Snapshot,
) -> Document | None:
    """Verify a license file and put it in the place of what is older.

    Args:
        file: as the vendor made it.
        settings: of the program.
        credentials: that are configured; the file must be about them.
        installed: the clocks now.
        known: what is stored.

    Raises:
        DecisionRejectedError: it is not for us, or what is stored is as new, or newer.
        KeySetRejectedError: the key sets in it are not the roots'.
    """
    document = known.document
    filed = verify_file(
        file,
        trust=known.trust,
        product=settings.product,
        credentials=credentials,
        instance_id=settings.instance_id or (document.instance_id if document else None),
    )
    if document and document.decision == filed.token:
        return with_trust(filed.trust, known)
    issued_at = filed.decision.issued_at
    if known.stored and issued_at <= known.stored.decision.issued_at:
        raise rejected_file("not-newer")
    return (document or new_document())._replace(
        decision=filed.token,
        key_sets=filed.trust.documents,
        received=None,
        high_water=HighWater(issued_at, mark_of(installed)),
    )


def with_high_water(token: str, raised: HighWater, known: Snapshot) -> Document | None:
    """Record a higher time for a decision, if it is still the stored one."""
    document = known.document
    if document is None or document.decision != token:
        return None
    if document.high_water and document.high_water.at > raised.at:
        return None
    return document._replace(high_water=raised)
