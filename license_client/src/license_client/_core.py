"""The work of a client: memory over a cache file, calls under one lock, answers in their place.

Both shells, `client` and `aio`, stand on this. What decides is elsewhere and pure; here the
clock is read, the file is kept and the server is asked.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from license_client._clock import Clock, Deadline, Reading
from license_client._credentials import Credentials, Email
from license_client._license_file import write_file_request
from license_client._memory import Memory
from license_client._placement import (
    Answer,
    with_answer,
    with_file,
    with_high_water,
    with_trust,
)
from license_client._settings import Settings
from license_client._snapshot import Snapshot
from license_client._status import NO_IDENTITY, LicenseStatus, Remarks, describe
from license_client._store import GLANCE_SECONDS, LOCK_SECONDS, Store
from license_client._transport import Transport, loading
from license_client.errors import ConfigurationError, LicenseError, OfflineError
from license_client.policy import (
    Agreement,
    Schedule,
    Stored,
    after_answer,
    contradicts,
    is_record_due,
    mark_of,
    raised_high_water,
    spread_of,
    state_of,
    time_of,
)

if TYPE_CHECKING:
    from license_client._conversation import Conversation

_RETRY_SECONDS: Final = 1.0


class Core:
    """One license of one program in one cache.

    Args:
        settings: checked ones.
        clock: tells the time.
        transport: the way to the server; None when there is no server to ask.
        chance: returns a random number of 0..1, to spread customers over time.
        total_seconds: how long a call may take in all.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        transport: Transport | None,
        chance: Callable[[], float],
        total_seconds: float,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._transport = transport
        self._chance = chance
        self._total_seconds = total_seconds
        self._store = Store(settings.cache_dir, settings.keys)
        self._memory = Memory(settings, self._store)
        self._agreement = Agreement(self._clock.read())
        self._schedule = Schedule(spread=spread_of(self._chance()))
        self._failure: LicenseError | None = None
        self._is_contradicted = False
        self._has_identity = True

    def status(self) -> LicenseStatus:
        """Return the license as it stands now, without asking anybody."""
        now = self._clock.read()
        return self._describe(self._record_time(self._memory.look(now), now), now)

    def start(self) -> LicenseStatus:
        """Return a usable license from the cache at once, else ask for one with some patience."""
        cached = self.status()
        if cached.usable:
            return cached
        patience = Deadline(self._settings.start_wait)
        while True:
            try:
                return self.ask("activate", min(self._total_seconds, patience.remaining()))
            except LicenseError as error:
                self._failure = error
                pause = _pause_after(error)
                if pause is None or pause >= patience.remaining():
                    return self.status()
                patience.pause(pause)

    def ask(self, operation: str, seconds: float | None = None) -> LicenseStatus:
        """Ask the server about the configured license and put its answer in its place."""
        credentials = self._require_credentials()
        deadline = Deadline(self._total_seconds if seconds is None else seconds)
        with self._store.refreshing(deadline) as held:
            if not held:
                raise OfflineError("another process is asking the license server; try again")
            return self._ask(operation, credentials, deadline)

    def check(self, credentials: Credentials) -> LicenseStatus:
        """Ask about any license; what is not the configured one is answered and forgotten."""
        if credentials == self._settings.credentials:
            return self.ask("validate")
        return self._ask_once(credentials)

    def probe(self) -> LicenseStatus:
        """Ask about the configured license once; the cache stays as it is."""
        return self._ask_once(self._require_credentials())

    def _ask_once(self, credentials: Credentials) -> LicenseStatus:
        deadline = Deadline(self._total_seconds)
        known = self._memory.identify(self._clock.read())
        conversation = self._converse(known, deadline)
        return self._describe_once(
            conversation.ask("validate", credentials, self._instance_id(known))
        )

    def request_trial(self, email: Email) -> None:
        """Ask for a trial by mail; the license and its cache stay as they are."""
        transport = self._require_transport()
        with loading():
            from license_client._conversation import request_trial  # noqa: PLC0415 - for calls only

        request_trial(self._settings.product, email, transport, Deadline(self._total_seconds))

    def install(self, file: bytes) -> LicenseStatus:
        """Take a license file in, without asking anybody."""
        credentials, now = self._require_credentials(), self._clock.read()
        change = partial(with_file, file, self._settings, credentials, now)
        after = self._memory.update(change, now, replaces_unreadable=True)
        self._is_contradicted = False
        return self._describe(after, now)

    def request_file(self) -> str:
        """Return what the vendor needs to know to issue a license file for this machine."""
        credentials = self._require_credentials()
        known = self._memory.identify(self._clock.read())
        if not self._has_lasting_id(known):
            raise ConfigurationError(NO_IDENTITY)
        return write_file_request(self._settings.product, credentials, self._instance_id(known))

    def refresh_if_due(self) -> LicenseStatus:
        """Ask if it is time to and nobody else does; trouble becomes a notice, never an error."""
        credentials = self._settings.credentials
        if self._transport is None or credentials is None or not self._is_due():
            return self.status()
        deadline = Deadline(self._total_seconds)
        with self._store.refreshing(Deadline(0)) as held:
            if not held or not self._is_due():  # another process may just have done it
                return self.status()
            try:
                return self._ask("validate", credentials, deadline)
            except LicenseError:  # noted, and told by the status
                return self.status()

    def payload(self) -> bytes:
        """Return the body of a request as it would be sent now; nothing is sent or kept."""
        known = self._memory.look(self._clock.read())
        from license_client._conversation import write_request  # noqa: PLC0415 - for calls only

        return write_request(
            self._settings, self._require_credentials(), self._instance_id(known), known.trust
        )

    def _ask(self, operation: str, credentials: Credentials, deadline: Deadline) -> LicenseStatus:
        now = self._clock.read()
        known = self._memory.identify(now, _lock_wait(deadline))
        operation = self._possible(operation, known)
        conversation = self._converse(known, deadline)
        try:
            answer = conversation.ask(operation, credentials, self._instance_id(known))
        except LicenseError as error:
            self._note_failure(error)
            raise
        finally:
            taken_in = partial(with_trust, conversation.trust)
            self._memory.update(taken_in, now, wait_seconds=_lock_wait(deadline))
        return self._take(answer, now, _lock_wait(deadline))

    def _possible(self, operation: str, known: Snapshot) -> str:
        """Return what a machine without a lasting id may do: it is never activated."""
        self._has_identity = self._has_lasting_id(known)
        if self._has_identity:
            return operation
        if operation == "deactivate":
            raise ConfigurationError(NO_IDENTITY)
        return "validate"

    def _has_lasting_id(self, known: Snapshot) -> bool:
        saved = self._memory.saved_identity
        return self._instance_id(known) in (self._settings.instance_id, saved)

    def _take(self, answer: Answer, asked: Reading, wait_seconds: float) -> LicenseStatus:
        now = self._clock.read()
        after = self._memory.update(
            partial(with_answer, answer, asked),
            now,
            wait_seconds=wait_seconds,
            replaces_unreadable=True,
        )
        decision = after.stored.decision if after.stored else None
        self._failure = None
        self._is_contradicted = contradicts(decision, answer.decision)
        is_ours = self._is_contradicted or decision == answer.decision
        status = self._describe(after, now) if is_ours else self._describe_once(answer)
        self._schedule = after_answer(now, usable=status.usable, chance=self._chance())
        return status

    def _note_failure(self, error: LicenseError) -> None:
        now = self._clock.read()
        self._failure = error
        self._schedule = self._schedule.after_failure(
            now,
            usable=state_of(self._memory.look(now).stored, now).usable,
            retry_after=error.retry_after_seconds if isinstance(error, OfflineError) else None,
            chance=self._chance(),
        )

    def _is_due(self) -> bool:
        now = self._clock.read()
        return self._seconds_left(self._memory.look(now), now) == 0

    def _seconds_left(self, known: Snapshot, now: Reading) -> int:
        usable = known.stored if state_of(known.stored, now).usable else None
        return self._schedule.seconds_left(usable, known.arrived_wall, now)

    def _record_time(self, known: Snapshot, now: Reading) -> Snapshot:
        """Record the high-water mark when that is due: hourly, and once in a new boot."""
        self._agreement = self._agreement.after(now)
        if known.stored is None or known.document is None or known.document.decision is None:
            return known
        agrees = self._agreement.holds(now)
        raised = raised_high_water(known.stored, now, wall_agrees=agrees)
        if raised is None or not is_record_due(known.stored, now, raised):
            return known
        recorded = partial(with_high_water, known.document.decision, raised)
        return self._memory.update(recorded, now, wait_seconds=GLANCE_SECONDS)

    def _describe(self, known: Snapshot, now: Reading) -> LicenseStatus:
        remarks = Remarks(
            problem=known.problem,
            is_foreign=known.foreign,
            is_saved=self._memory.is_saved,
            has_identity=self._has_identity,
            is_stale=now.wall > known.trust.current.expires,
            is_contradicted=self._is_contradicted,
            notices=self._settings.notices,
            next_refresh=self._next_refresh(known, now),
            failure=self._failure,
        )
        return describe(known.stored, now, remarks)

    def _describe_once(self, answer: Answer) -> LicenseStatus:
        now = self._clock.read()
        return describe(Stored(answer.decision, mark_of(now), None), now, Remarks())

    def _next_refresh(self, known: Snapshot, now: Reading) -> int | None:
        if self._transport is None or self._settings.credentials is None:
            return None
        time = time_of(known.stored, now) if known.stored else now.wall
        return time + self._seconds_left(known, now)

    def _converse(self, known: Snapshot, deadline: Deadline) -> "Conversation":
        transport = self._require_transport()
        with loading():
            from license_client._conversation import Conversation  # noqa: PLC0415 - for calls only

        return Conversation(self._settings, transport, known.trust, deadline)

    def _require_transport(self) -> Transport:
        if self._transport is None:
            raise ConfigurationError("LICENSE_SERVER_URL: missing; there is no server to ask")
        return self._transport

    def _instance_id(self, known: Snapshot) -> str:
        document = known.document or self._memory.newborn
        return self._settings.instance_id or document.instance_id

    def require_email(self) -> Email:
        """Return the configured owner's email."""
        return self._require_credentials().email

    def _require_credentials(self) -> Credentials:
        if self._settings.credentials is None:
            raise ConfigurationError("LICENSE_KEY and LICENSE_EMAIL: missing; set both")
        return self._settings.credentials


def _lock_wait(deadline: Deadline) -> float:
    """Return how long a call may wait for another process that writes: not all that is left."""
    return min(LOCK_SECONDS, deadline.remaining() / 2)


def _pause_after(error: LicenseError) -> float | None:
    """Return after how many seconds the same call may end better; None where it will not."""
    if not isinstance(error, OfflineError):
        return None
    return error.retry_after_seconds or _RETRY_SECONDS
