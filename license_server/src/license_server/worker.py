"""The worker: does what the outbox asks for, and what is due by the clock.

An entry is claimed in a transaction of its own, worked on outside of any, and its outcome stored
in another. A worker that dies in between leaves the claim to run out, and the entry is tried again:
at least once, never by two at a time.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from license_server.desk import Desk, Vault, payload_context
from license_server.errors import DeliveryFailed, NotReady
from license_server.stores import OutboxEntry, OutboxKind, OutboxState, Repository

ACTOR_WORKER: Final = "worker"
CLAIM: Final = timedelta(minutes=2)
"""How long an entry is left to who took it; longer than any delivery may last."""
WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
    timedelta(hours=24),
)
"""Before each try but the first: ten tries in not quite three days."""

_BATCH: Final = 10
_IDLE_SECONDS: Final = 2.0
_SHORTEST_SHARE: Final = 0.8  # of a wait: what failed together is not tried again together
_MAX_ERROR: Final = 200

_log = structlog.get_logger(__name__)

Payload = Mapping[str, Any]
Deliver = Callable[[OutboxEntry, Payload], Awaitable[None]]
"""Takes an entry out of the house; raises `DeliveryFailed`."""
Work = Callable[[Desk, Payload], Awaitable[None]]
"""Does in the database what an entry asks for, in the transaction that marks it done."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is due by the clock, once among all workers of a database.

    Attributes:
        name: names it in the table of schedules.
        every: how often.
        work: does it.
    """

    name: str
    every: timedelta
    work: Callable[[Desk], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Duties:
    """What a worker does.

    Attributes:
        deliveries: of kinds that leave the house.
        works: of kinds that stay in the database.
        jobs: what is due by the clock.
    """

    deliveries: Mapping[OutboxKind, Deliver]
    works: Mapping[OutboxKind, Work]
    jobs: Sequence[Job]


class Worker:
    """Drains the outbox and does the jobs.

    Args:
        repository: where they are.
        vault: opens payloads.
        duties: what to do.
        now: the wall clock.
    """

    def __init__(
        self, repository: Repository, vault: Vault, duties: Duties, now: Callable[[], datetime]
    ) -> None:
        self._repository = repository
        self._vault = vault
        self._duties = duties
        self._now = now

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; what is under way then is finished."""
        while not stop.is_set():
            try:
                await self.do_jobs()
                has_worked = await self.drain_once() > 0
            except NotReady:
                _log.warning("worker.database_unreachable")
                has_worked = False
            if not has_worked:
                await _wait(stop, _IDLE_SECONDS)

    async def drain_once(self) -> int:
        """Do what is due, up to a batch of it; return how much that was."""
        now = self._now()
        async with self._repository.transaction() as transaction:
            entries = await transaction.outbox.claim(now, now + CLAIM, _BATCH)
        await asyncio.gather(*(self._do(entry) for entry in entries))
        return len(entries)

    async def do_jobs(self) -> None:
        """Do the jobs that are due and that no other worker does."""
        now = self._now()
        for job in self._duties.jobs:
            async with self._repository.transaction() as transaction:
                if await transaction.state.claim_schedule(job.name, now, now + job.every):
                    await job.work(Desk(transaction, self._vault, ACTOR_WORKER, now))

    async def _do(self, entry: OutboxEntry) -> None:
        tried = replace(entry, attempts=entry.attempts + 1)
        try:
            await self._attempt(tried)
        except NotReady:
            _log.warning("worker.database_unreachable", entry=entry.entry_id)
        except Exception as error:  # noqa: BLE001 - one entry must not stop the others
            await self._store_failure(tried, error)

    async def _attempt(self, entry: OutboxEntry) -> None:
        payload = self._payload(entry)
        deliver = self._duties.deliveries.get(entry.kind)
        if deliver is not None:
            await deliver(entry, payload)
        async with self._repository.transaction() as transaction:
            if deliver is None:
                desk = Desk(transaction, self._vault, ACTOR_WORKER, self._now())
                await self._duties.works[entry.kind](desk, payload)
            await transaction.outbox.save(_done(entry, self._now()))

    async def _store_failure(self, entry: OutboxEntry, error: Exception) -> None:
        if not isinstance(error, DeliveryFailed):
            _log.error("worker.failed", entry=entry.entry_id, exc_info=error)
        failed = _failed(entry, error, self._now())
        _log.warning(
            "outbox.retry" if failed.state is OutboxState.PENDING else "outbox.gave_up",
            entry=entry.entry_id,
            kind=entry.kind.value,
            attempts=failed.attempts,
        )
        async with self._repository.transaction() as transaction:
            await transaction.outbox.save(failed)

    def _payload(self, entry: OutboxEntry) -> Payload:
        if entry.payload_sealed is None:
            raise DeliveryFailed("its content was erased", is_final=True)
        context = payload_context(entry.entry_id)
        payload: Payload = json.loads(
            self._vault.sealer.unseal_bytes(entry.payload_sealed, context)
        )
        return payload


def _done(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    """Return a finished entry; only events keep what they held, to be sent again on request."""
    payload = entry.payload_sealed if entry.kind is OutboxKind.WEBHOOK else None
    return replace(
        entry, state=OutboxState.DONE, payload_sealed=payload, finished_at=now, error=None
    )


def _failed(entry: OutboxEntry, error: Exception, now: datetime) -> OutboxEntry:
    reason = str(error) if isinstance(error, DeliveryFailed) else type(error).__name__
    entry = replace(entry, error=reason[:_MAX_ERROR])
    is_final = isinstance(error, DeliveryFailed) and error.is_final
    if is_final or entry.attempts > len(WAITS):
        return replace(entry, state=OutboxState.FAILED, finished_at=now)
    share = random.uniform(_SHORTEST_SHARE, 1)  # noqa: S311 - spreads load, hides nothing
    return replace(entry, due_at=now + share * WAITS[entry.attempts - 1])


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
