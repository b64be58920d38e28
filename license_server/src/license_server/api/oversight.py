"""The server itself over HTTP: its log proven, its keys, its health, its settings."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from license_server.api.endpoints import (
    AUDITORS,
    OWNERS,
    READERS,
    AnyEndpoint,
    Call,
    Document,
    Endpoint,
    Nothing,
    Reply,
    StreamCall,
    Streamed,
    StreamEndpoint,
)
from license_server.api.members import Shown
from license_server.audit import AuditBroken, Verifier
from license_server.checkpoint_files import SeenHeads, read_heads, record_checkpoint
from license_server.checkpoints import CheckpointSigner
from license_server.errors import ConfigurationError, SigningUnavailable
from license_server.findings import Finding, Level
from license_server.keyset_history import KeySetHistory
from license_server.keyset_steps import KeyFacts, remaining_steps
from license_server.keysets import KeyStatus
from license_server.settings import ShownSetting

_JSON: Final = "application/json"
_BATCH: Final = 500  # some 10 ms of work, between which clients are answered


@dataclass(frozen=True, slots=True)
class Premises:
    """What a server knows of itself beside its database.

    Attributes:
        examine: looks it over, as `doctor` does.
        settings: that hold, secrets masked.
        key_facts: reads what is to be known of its keys.
        keysets: reads its key sets.
        checkpoint_signer: reads the key for checkpoints.
        checkpoint_file: they go to.
        decisions: counts of this process by code.
        started_at: when it began to count.
    """

    examine: Callable[[], Awaitable[Sequence[Finding]]]
    settings: Sequence[ShownSetting]
    key_facts: Callable[[], KeyFacts]
    keysets: Callable[[], KeySetHistory]
    checkpoint_signer: Callable[[], CheckpointSigner]
    checkpoint_file: Path
    decisions: Callable[[], Mapping[str, int]]
    started_at: datetime


class LeftOut(Document):
    """A line of the file of checkpoints that proves nothing."""

    line: int
    reason: str


class Verification(Document):
    """Whether the log is what was written; `fault` names the first entry that shows it is not.

    It is proven as far as the checkpoints reach that were held against it; `left_out` were not.
    """

    is_sound: bool
    entries: int
    head: str
    checkpoints: int
    left_out: tuple[LeftOut, ...]
    fault: str | None


class CheckpointDocument(Document):
    """A checkpoint that was signed and appended to a file."""

    seq: int
    hash: str
    at: Shown
    file: str


class KeyDocument(Document):
    """A signing key, as the key set lists it."""

    kid: str
    status: KeyStatus
    uses: tuple[str, ...]
    not_before: Shown
    not_after: Shown
    signs_here: bool


class StepDocument(Document):
    """Something to be done by hand."""

    text: str
    command: str
    is_offline: bool


class KeySetOverview(Document):
    """The key set that is served, and what is left to do about it."""

    epoch: int
    issued_at: Shown
    expires_at: Shown
    threshold: int
    roots: tuple[str, ...]
    keys: tuple[KeyDocument, ...]
    steps: tuple[StepDocument, ...]


class SettingDocument(Document):
    """A setting; the value of a secret is masked."""

    name: str
    value: str | int | bool | None
    is_secret: bool
    is_default: bool


class SettingList(Document):
    """All settings of this server."""

    items: tuple[SettingDocument, ...]


class FindingDocument(Document):
    """One thing that was looked at."""

    id: str
    level: Level
    text: str
    remedy: str


class FindingList(Document):
    """All that was looked at."""

    items: tuple[FindingDocument, ...]


class DecisionCount(Document):
    """How many decisions of one code were signed."""

    code: str
    number: int


class DecisionCounts(Document):
    """Decisions of this process since its start, the most first; none of codes that were not."""

    since: Shown
    items: tuple[DecisionCount, ...]


def endpoints(premises: Premises) -> Sequence[AnyEndpoint]:
    """Return the endpoints.

    Args:
        premises: of the server that answers them.
    """
    return (
        StreamEndpoint(
            "POST", "/v1/admin/audit/verify", "audit.verify",
            "Walk the whole audit log, and hold the checkpoints of the server's file against it",
            AUDITORS, Nothing, (), (_JSON,), partial(_verify, premises),
        ),
        Endpoint(
            "POST", "/v1/admin/audit/checkpoint", "audit.checkpoint",
            "Sign the head of the audit log, and append that to the server's file", OWNERS,
            Nothing, Nothing, CheckpointDocument, partial(_checkpoint, premises),
        ),
        Endpoint(
            "GET", "/v1/admin/keyset", "keyset.show",
            "Show keys and key set, and what is left to do about them", READERS, Nothing, Nothing,
            KeySetOverview, partial(_keyset, premises),
        ),
        Endpoint(
            "GET", "/v1/admin/settings", "settings.show", "Show the settings, secrets masked",
            OWNERS, Nothing, Nothing, SettingList, partial(_settings, premises),
        ),
        StreamEndpoint(
            "GET", "/v1/admin/doctor", "doctor.show", "Look the server over", READERS, Nothing, (),
            (_JSON,), partial(_doctor, premises),
        ),
        Endpoint(
            "GET", "/v1/admin/stats/decisions", "stats.decisions",
            "Count the decisions of this process by code", READERS, Nothing, Nothing,
            DecisionCounts, partial(_decisions, premises),
        ),
    )  # fmt: skip


async def _verify(premises: Premises, call: StreamCall[Nothing]) -> Streamed:
    seen = _seen_heads(premises)
    verifier, fault = Verifier(), None
    try:
        verifier = Verifier.against(seen.heads)
        await _walk(call, verifier)
    except AuditBroken as broken:
        fault = str(broken)
    outcome = Verification(
        is_sound=fault is None,
        entries=verifier.head.seq,
        head=verifier.head.hash.hex(),
        checkpoints=len(seen.heads),
        left_out=tuple(LeftOut(line=line, reason=reason) for line, reason in seen.refusals),
        fault=fault,
    )
    return _whole(outcome)


def _seen_heads(premises: Premises) -> SeenHeads:
    """Return what the checkpoints have seen; a server that has made none has no file."""
    if not premises.checkpoint_file.exists():
        return SeenHeads((), ())
    return read_heads(premises.checkpoint_file, premises.keysets())


async def _walk(call: StreamCall[Nothing], verifier: Verifier) -> None:
    """Verify the log batch after batch, each of a transaction of its own."""
    while True:
        async with call.open_desk() as desk:
            entries = await desk.transaction.audit.entries(verifier.head.seq, _BATCH)
        if not entries:
            verifier.finish()
            return
        for entry in entries:
            verifier.add(entry)


async def _checkpoint(premises: Premises, call: Call[Nothing, Nothing]) -> Reply:
    try:
        signer = premises.checkpoint_signer()
        head = await record_checkpoint(call.desk, signer, premises.checkpoint_file)
    except ConfigurationError as error:
        raise SigningUnavailable(str(error)) from error
    made = CheckpointDocument(
        seq=head.seq,
        hash=head.hash.hex(),
        at=call.desk.now,
        file=str(premises.checkpoint_file),
    )
    return Reply(made)


async def _keyset(premises: Premises, call: Call[Nothing, Nothing]) -> Reply:
    facts = premises.key_facts()
    newest = facts.newest
    keys = tuple(
        KeyDocument(
            kid=key.kid,
            status=key.status,
            uses=key.use,
            not_before=_instant(key.not_before),
            not_after=_instant(key.not_after),
            signs_here=key.kid == facts.signing_kid,
        )
        for key in newest.keys
    )
    steps = remaining_steps(facts, call.desk.now)
    overview = KeySetOverview(
        epoch=newest.epoch,
        issued_at=_instant(newest.issued),
        expires_at=_instant(newest.expires),
        threshold=newest.threshold,
        roots=tuple(root.kid for root in newest.roots),
        keys=keys,
        steps=tuple(
            StepDocument(text=step.text, command=step.command, is_offline=step.is_offline)
            for step in steps
        ),
    )
    return Reply(overview)


async def _settings(premises: Premises, _call: Call[Nothing, Nothing]) -> Reply:
    items = tuple(
        SettingDocument(
            name=one.name, value=one.value, is_secret=one.is_secret, is_default=one.is_default
        )
        for one in premises.settings
    )
    return Reply(SettingList(items=items))


async def _doctor(premises: Premises, _call: StreamCall[Nothing]) -> Streamed:
    """Look the server over outside of any transaction: it begins some of its own."""
    items = tuple(
        FindingDocument(id=one.id, level=one.level, text=one.text, remedy=one.remedy)
        for one in await premises.examine()
    )
    return _whole(FindingList(items=items))


def _whole(document: Document) -> Streamed:
    return Streamed(_JSON, _once(document.model_dump_json().encode("utf-8")))


async def _once(part: bytes) -> AsyncIterator[bytes]:
    yield part


async def _decisions(premises: Premises, _call: Call[Nothing, Nothing]) -> Reply:
    counted = sorted(premises.decisions().items(), key=lambda one: (-one[1], one[0]))
    items = tuple(DecisionCount(code=code, number=number) for code, number in counted)
    return Reply(DecisionCounts(since=premises.started_at, items=items))


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
