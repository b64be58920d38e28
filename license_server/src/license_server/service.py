"""The runtime service: one way to an answer for activate, validate and deactivate.

It knows no HTTP and no SQL. The judgment is `evaluation.evaluate`; here its effects happen, and
the result is signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from license_server.codes import MESSAGES, Code, Notice
from license_server.decisions import Binding, DecisionIssuer
from license_server.emails import Email
from license_server.errors import RateLimited, SigningUnavailable
from license_server.evaluation import Effect, Found, Operation, Seat, Verdict, evaluate
from license_server.keysets import KeySetHistory
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
    """

    def __init__(
        self,
        repository: LicenseRepository,
        issuer: DecisionIssuer,
        keysets: KeySetHistory,
        peppers: Peppers,
        throttle: Throttle,
    ) -> None:
        self._repository = repository
        self._issuer = issuer
        self._keysets = keysets
        self._peppers = peppers
        self._throttle = throttle
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
