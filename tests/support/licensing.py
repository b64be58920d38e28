"""Licenses, requests and a license server in memory, for the tests of the license server."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from license_server import base64url
from license_server.audit import Change
from license_server.decisions import DecisionIssuer
from license_server.emails import Email
from license_server.errors import NotReady, RateLimited
from license_server.evaluation import Found, Operation, Seat
from license_server.keyset_history import KeySetHistory
from license_server.keysets import VERSION, KeySet, KeyStatus, PublishedKey, Root, SignedKeySet
from license_server.license_keys import LicenseKey
from license_server.licenses import Kind, License, Standing
from license_server.ports import Counters, Visit
from license_server.products import Policy
from license_server.sealing import Pepper, Peppers
from license_server.seats import Occupancy, allot_seat
from license_server.service import Answer, LicenseService, Presented
from license_server.signing import DECISION, SigningKey
from license_server.strict_json import read_object
from license_server.throttle import RateLimiter, rules

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ISSUER = "ls_00112233445566aa"
PRODUCT = "db-api"
EMAIL = Email("ada@example.com")
OTHER_EMAIL = Email("eve@example.com")
KEY = LicenseKey.generate()
PEPPERS = Peppers((Pepper("p1", b"1" * 32),))
ROOT = SigningKey.from_seed(b"r" * 32)
SIGNER = SigningKey.from_seed(b"s" * 32)


def a_license(**changes: Any) -> License:
    """Return a paid license for life, changed as told."""
    return replace(
        License(
            license_id="lic_00000000000000000000000000",
            product=PRODUCT,
            kind=Kind.PAID,
            standing=Standing.ACTIVE,
            issued_at=NOW - DAY,
            starts_at=NOW - DAY,
            expires_at=None,
            trial=None,
            renewal_grace=7 * DAY,
        ),
        **changes,
    )


def a_trial(**changes: Any) -> License:
    """Return a trial of 14 days that nobody has started, changed as told."""
    trial = {"kind": Kind.TRIAL, "trial": 14 * DAY, "renewal_grace": timedelta()}
    return a_license(**{**trial, **changes})


def a_find(license_: License | None = None, **changes: Any) -> Found:
    """Return what a repository finds for a rightly named license of a registered deployment."""
    found = Found(
        license=license_ or a_license(),
        policy=Policy(),
        email_matches=True,
        key_superseded_until=None,
        seat=Seat.TAKEN,
    )
    return replace(found, **changes)


def presented(**changes: Any) -> Presented:
    """Return a request that names everything rightly, changed as told."""
    request = Presented(
        key=KEY,
        email=EMAIL,
        product=PRODUCT,
        instance_id="instance-1",
        client_name="license-client",
        client_version="1.0.0",
        app_version=None,
        deployment_name=None,
        keyset_epoch=1,
        digest="digest",
    )
    return replace(request, **changes)


def key_set(epoch: int = 1, **changes: Any) -> KeySet:
    """Return a key set of one root and one signing key, changed as told."""
    key = PublishedKey(
        **Root.of(SIGNER).model_dump(),
        use=(DECISION,),
        not_before=unix(NOW - 30 * DAY),
        not_after=unix(NOW + 365 * DAY),
        status=KeyStatus.ACTIVE,
    )
    whole = KeySet(
        v=VERSION,
        iss=ISSUER,
        epoch=epoch,
        issued=unix(NOW - 30 * DAY),
        expires=unix(NOW + 365 * DAY),
        threshold=1,
        roots=(Root.of(ROOT),),
        keys=(key,),
    )
    return whole.model_copy(update=changes)


def a_history(*sets: KeySet) -> KeySetHistory:
    """Return key sets signed by the one root."""
    return KeySetHistory([SignedKeySet.sign(content, [ROOT]) for content in sets or (key_set(),)])


def an_issuer(content: KeySet | None = None) -> DecisionIssuer:
    """Return an issuer that signs by the one key of a key set."""
    whole = content or key_set()
    return DecisionIssuer(SIGNER, whole.keys[0], whole.iss, whole.epoch)


def unix(instant: datetime) -> int:
    """Return whole Unix seconds."""
    return int(instant.timestamp())


def claims_in(decision: str) -> dict[str, Any]:
    """Return the claims of a decision without judging its signature."""
    return read_object(base64url.decode(decision.split(".")[1]))


def a_limiter(counters: Counters, requests_per_minute: int = 1_000) -> RateLimiter:
    """Return a throttle that counts everything in the same place."""
    known = rules(requests_per_minute)
    return RateLimiter(known, dict.fromkeys(known, counters))


class CountingThrottle:
    """A throttle that allows so many events of each rule and subject, for ever."""

    def __init__(self, allowed: int = 10) -> None:
        self._allowed = allowed
        self.counts: dict[tuple[str, str], int] = {}

    async def hit(self, rule: str, subject: str, cost: int = 1) -> None:
        """Count an event."""
        before = self.counts.get((rule, subject), 0)
        self.counts[rule, subject] = before + cost
        if before >= self._allowed:
            raise RateLimited("too many", retry_after_seconds=60)


@dataclass
class MemoryLicenses:
    """A `LicenseRepository` of one license in memory.

    Attributes:
        license: the license; its key is `KEY`, its owner `EMAIL`.
        policy: of its product.
        deployments: first seen, by instance id.
        blocked: blocked instance ids.
        newest: the newest time seen.
        changes: what the audit log was told.
        is_down: fail every call.
    """

    license: License = field(default_factory=a_license)
    policy: Policy = field(default_factory=Policy)
    deployments: dict[str, datetime] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    newest: datetime = NOW - DAY
    changes: list[Change] = field(default_factory=list)
    is_down: bool = False

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def require_ready(self) -> None:
        """Fail if the repository is down."""
        if self.is_down:
            raise NotReady("the database does not answer")

    async def find(self, visit: Visit) -> Found | None:
        """Look the one license up."""
        await self.require_ready()
        if visit.key_macs != PEPPERS.key_macs(KEY):
            return None
        return a_find(
            self.license,
            policy=self.policy,
            email_matches=visit.email_indexes == PEPPERS.email_indexes(EMAIL),
            seat=self._seat(visit.instance_id),
        )

    def _seat(self, instance_id: str) -> Seat:
        if instance_id in self.blocked:
            return Seat.BLOCKED
        return Seat.TAKEN if instance_id in self.deployments else Seat.UNKNOWN

    async def register(self, license_id: str, visit: Visit, limit: int | None) -> Seat:
        """Give a seat by the rules."""
        assert license_id == self.license.license_id
        new = [seen for seen in self.deployments.values() if seen > visit.at - HOUR]
        occupancy = Occupancy(
            live=len(self.deployments),
            new=len(new),
            oldest_new_at=min(new, default=None),
            is_registered=visit.instance_id in self.deployments,
        )
        seat = allot_seat(occupancy, limit, visit.at)
        if seat is Seat.TAKEN:
            self.deployments.setdefault(visit.instance_id, visit.at)
        return seat

    async def forget(self, license_id: str, instance_id: str) -> None:
        """Free a seat."""
        assert license_id == self.license.license_id
        self.deployments.pop(instance_id, None)

    async def start_trial(
        self, license_id: str, ends_at: datetime, change: Change, now: datetime
    ) -> datetime:
        """Fix the end of a trial."""
        assert license_id == self.license.license_id
        assert ends_at > now
        if self.license.expires_at is None:
            self.license = replace(self.license, expires_at=ends_at)
            self.changes.append(change)
        assert self.license.expires_at is not None
        return self.license.expires_at

    async def advance_newest_time(self, now: datetime) -> datetime:
        """Remember the newest time."""
        self.newest = max(self.newest, now)
        return self.newest


@dataclass
class MemoryServer:
    """A whole service over `MemoryLicenses`."""

    licenses: MemoryLicenses = field(default_factory=MemoryLicenses)
    throttle: CountingThrottle = field(default_factory=CountingThrottle)
    keysets: KeySetHistory = field(default_factory=a_history)
    issuer: DecisionIssuer = field(default_factory=an_issuer)

    def __post_init__(self) -> None:
        """Put the service together."""
        self.service = LicenseService(
            self.licenses, self.issuer, self.keysets, PEPPERS, self.throttle
        )

    async def ask(
        self, operation: Operation = Operation.VALIDATE, now: datetime = NOW, **changes: Any
    ) -> Answer:
        """Ask as `presented(**changes)`."""
        return await self.service.answer(operation, presented(**changes), now=now)
