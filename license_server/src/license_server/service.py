"""The runtime service: one way to an answer for activate, validate and deactivate.

It knows no HTTP and no SQL. The judgment is `evaluation.evaluate`; here its effects happen, and
the result is signed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from license_server.audit import ACTOR_CLIENT, Change
from license_server.codes import ANONYMOUS, MESSAGES, Code, Notice
from license_server.decisions import Binding, DecisionIssuer
from license_server.emails import Email
from license_server.errors import RateLimited, SigningUnavailable
from license_server.evaluation import Effect, Found, Operation, Seat, Verdict, evaluate
from license_server.keyset_history import KeySetHistory
from license_server.license_keys import LicenseKey
from license_server.ports import EMAIL_MISMATCHES, LicenseRepository, Throttle, Visit
from license_server.sealing import Peppers

MAX_CLOCK_LAG: Final = timedelta(seconds=300)
"""How far the clock may be behind the newest time in the database (contract, "Decision")."""

_CLOCK_CHECK_INTERVAL: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Presented:
    """A request to activate, validate or deactivate, parsed completely.

    Attributes:
        key: the license key.
        email: of its owner, as the client believes.
        product: code of the product that the client is part of.
        instance_id: names the deployment.
        client_name: name of the client library.
        client_version: its version.
        app_version: version of the licensed program.
        deployment_name: what its operator calls the deployment.
        keyset_epoch: of the newest key set that the client knows.
        digest: the claim `req`: b64url SHA-256 of operation and exact request body.
    """

    key: LicenseKey
    email: Email
    product: str
    instance_id: str
    client_name: str
    client_version: str
    app_version: str | None
    deployment_name: str | None
    keyset_epoch: int
    digest: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets; it trusts only `decision` and the key sets.

    Attributes:
        valid: whether the license may be used.
        code: why.
        status: how the license stands (claim `st`); None where a decision tells nothing of it.
        warnings: beside `VALID`.
        message: one sentence for people.
        server_time: when the decision was made.
        decision: the signed decision, a compact JWS.
        keyset: signed key sets newer than the client's, oldest first, JSON-ready; None = it is
            up to date.
    """

    valid: bool
    code: Code
    status: str | None
    warnings: tuple[Notice, ...]
    message: str
    server_time: datetime
    decision: str
    keyset: tuple[Mapping[str, object], ...] | None


class LicenseService:
    """Answers clients.

    Args:
        repository: where licenses are kept.
        issuer: signs decisions.
        keysets: the key sets of this server.
        peppers: blind keys and emails.
        throttle: counts wrong emails by key, rule `EMAIL_MISMATCHES`.
        count: is told the code of each decision.
    """

    def __init__(
        self,
        repository: LicenseRepository,
        issuer: DecisionIssuer,
        keysets: KeySetHistory,
        peppers: Peppers,
        throttle: Throttle,
        count: Callable[[Code], None] = lambda _code: None,
    ) -> None:
        self._repository = repository
        self._issuer = issuer
        self._keysets = keysets
        self._peppers = peppers
        self._throttle = throttle
        self._count = count
        self._newest: datetime | None = None
        self._next_clock_check: datetime | None = None

    async def answer(self, operation: Operation, presented: Presented, *, now: datetime) -> Answer:
        """Judge a request and sign the decision, whether yes or no.

        Raises:
            RateLimited: too many wrong emails for this key, or too many new deployments.
            NotReady: the database does not answer.
            SigningUnavailable: the server's clock or signing key is not to be trusted.
        """
        await self._require_right_clock(now)
        visit = self._visit(presented, now)
        found = await self._repository.find(visit)
        await self._require_no_guessing(found, visit)
        verdict, found = await self._settle(operation, found, visit)
        decision = self._issuer.issue(verdict, found, _binding(presented), now)
        self._count(verdict.code)
        return self._answer(verdict, found, decision, presented.keyset_epoch, now)

    def keysets_above(self, epoch: int) -> tuple[Mapping[str, object], ...]:
        """Return the signed key sets newer than `epoch`, oldest first, JSON-ready."""
        return self._keysets.above(epoch)

    async def require_ready(self, now: datetime) -> None:
        """Do nothing if an answer could be given at `now`.

        Raises:
            NotReady: the database does not answer.
            SigningUnavailable: the server's clock or signing key is not to be trusted.
        """
        await self._repository.require_ready()
        await self._require_right_clock(now)
        self._issuer.require_usable(now)

    async def _settle(
        self, operation: Operation, found: Found | None, visit: Visit
    ) -> tuple[Verdict, Found | None]:
        """Judge, bring about what the judgment depends on, and judge again if that failed."""
        verdict = self._judge(operation, found, visit)
        if found is None:
            return verdict, None
        lic = found.license
        if verdict.effect is Effect.FORGET:
            await self._repository.forget(lic.license_id, visit.instance_id)
        if verdict.effect is Effect.REGISTER:
            limit = found.policy.deployment_limit
            seat = await self._repository.register(lic.license_id, visit, limit)
            found = replace(found, seat=seat)
            verdict = self._judge(operation, found, visit)
        if verdict.starts_trial:
            found = await self._with_started_trial(found, visit.at)
        return verdict, found

    def _judge(self, operation: Operation, found: Found | None, visit: Visit) -> Verdict:
        return evaluate(found, operation, visit.product, visit.client_version, visit.at)

    async def _with_started_trial(self, found: Found, now: datetime) -> Found:
        lic = found.license
        end = lic.ends_at(now)
        if end is None:
            return found
        change = Change(
            actor=ACTOR_CLIENT,
            action="license.start_trial",
            subject=self._peppers.current.audit_subject(lic.license_id),
            before={"expires_at": None},
            after={"expires_at": int(end.timestamp())},
        )
        kept = await self._repository.start_trial(lic.license_id, end, change, now)
        return replace(found, license=replace(lic, expires_at=kept))

    async def _require_no_guessing(self, found: Found | None, visit: Visit) -> None:
        """Stop guesses of the email of a key; a registered deployment is never stopped.

        For an unregistered one, counting and asking is one step that comes before the answer: past
        the limit, no answer depends on the email.
        """
        if found is None:
            return
        subject = visit.key_macs[0].hex()
        cost = 0 if found.email_matches else 1
        try:
            if cost or found.seat is Seat.UNKNOWN:
                await self._throttle.hit(EMAIL_MISMATCHES, subject, cost)
        except RateLimited as error:
            if found.seat is Seat.UNKNOWN:
                raise RateLimited(
                    "too many requests with another email for this license key",
                    retry_after_seconds=error.retry_after_seconds,
                ) from error

    async def _require_right_clock(self, now: datetime) -> None:
        """Compare the clock with the database's newest time, at most once a minute if all is well.

        Raises:
            SigningUnavailable: the clock is behind, so a decision could undo a newer one.
        """
        is_due = self._next_clock_check is None or now >= self._next_clock_check
        if is_due or self._is_behind(now):
            self._newest = await self._repository.advance_newest_time(now)
            self._next_clock_check = now + _CLOCK_CHECK_INTERVAL
        if self._is_behind(now):
            raise SigningUnavailable(
                "the server's clock is behind the newest time in its database: set it right, or, "
                "if it ran ahead before, run `license-server clock accept`"
            )

    def _is_behind(self, now: datetime) -> bool:
        return self._newest is not None and now < self._newest - MAX_CLOCK_LAG

    def _visit(self, presented: Presented, now: datetime) -> Visit:
        return Visit(
            key_macs=self._peppers.key_macs(presented.key),
            email_indexes=self._peppers.email_indexes(presented.email),
            product=presented.product,
            instance_id=presented.instance_id,
            client_name=presented.client_name,
            client_version=presented.client_version,
            app_version=presented.app_version,
            deployment_name=presented.deployment_name,
            at=now,
        )

    def _answer(
        self, verdict: Verdict, found: Found | None, decision: str, epoch: int, now: datetime
    ) -> Answer:
        is_shown = found is not None and verdict.code not in ANONYMOUS
        return Answer(
            valid=verdict.code is Code.VALID,
            code=verdict.code,
            status=found.license.status(now).value if found and is_shown else None,
            warnings=verdict.notices,
            message=MESSAGES[verdict.code],
            server_time=now,
            decision=decision,
            keyset=self._keysets.above(epoch) or None,
        )


def _binding(presented: Presented) -> Binding:
    return Binding(
        product=presented.product,
        instance_id=presented.instance_id,
        digest=presented.digest,
        key=presented.key,
        email=presented.email,
    )
