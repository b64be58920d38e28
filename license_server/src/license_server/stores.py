"""What the vendor's work asks of the database: a small protocol a noun, all in one transaction."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from license_server.audit import Change, Entry
from license_server.licenses import Kind, License, Status
from license_server.operators import OperatorStore
from license_server.products import Product
from license_server.sessions import SessionStore
from license_server.stats import StatsStore
from license_server.tokens import AdminToken, Role


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of a list ended; the next begins behind it.

    Attributes:
        at: the instant that the list is ordered by.
        row_id: orders what has the same instant.
    """

    at: datetime
    row_id: str


@dataclass(frozen=True, slots=True)
class ProductRecord:
    """A product and how often it was changed, from 1 on."""

    product: Product
    version: int


@dataclass(frozen=True, slots=True)
class StoredOwner:
    """An owner as the database holds one: no email in clear.

    Attributes:
        owner_id: `own_` and 26 random symbols; the seal of the email is bound to it.
        email_index: what it is found by, 32 bytes.
        domain_index: what the owners of its domain are found by, 32 bytes.
        email_sealed: see `sealing.Sealer.seal`; empty once the owner is erased.
        pepper_id: made both indexes.
    """

    owner_id: str
    email_index: bytes = field(repr=False)
    domain_index: bytes = field(repr=False)
    email_sealed: bytes = field(repr=False)
    pepper_id: str


@dataclass(frozen=True, slots=True)
class OwnerRecord:
    """An owner with when it was made, and when erased (None = it is not)."""

    owner: StoredOwner
    created_at: datetime
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A license key as the database holds one.

    Attributes:
        mac: what it is found by, 32 bytes.
        pepper_id: made the mac.
        hint: its last 4 symbols.
        license_id: what it opens.
    """

    mac: bytes = field(repr=False)
    pepper_id: str
    hint: str
    license_id: str


@dataclass(frozen=True, slots=True)
class LicenseDetails:
    """What a vendor keeps beside a license; nothing of it changes a decision.

    Attributes:
        metadata: short texts by name, for the vendor's programs.
        notes_sealed: free text for people, sealed; None = none.
    """

    metadata: Mapping[str, str] = field(default_factory=dict)
    notes_sealed: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LicenseRecord:
    """A license with what a vendor sees beside it.

    Attributes:
        license: the license.
        details: what the vendor keeps beside it.
        owner_id: of its owner.
        email_sealed: of its owner; empty once the owner is erased.
        key_hint: last 4 symbols of its newest key.
        deployments: how many are registered and not archived.
        version: how often it was changed, from 1 on.
    """

    license: License
    details: LicenseDetails
    owner_id: str
    email_sealed: bytes = field(repr=False)
    key_hint: str
    deployments: int
    version: int


@dataclass(frozen=True, slots=True)
class LicenseFilter:
    """Which licenses; None = whichever.

    Attributes:
        now: the instant at which `status` is judged.
        product: code.
        owner_id: of the owner.
        email_indexes: of the owner, under each live pepper.
        domain_indexes: of the domain of the owner's email.
        key_hint: last 4 symbols of a key.
        kind: paid or trial.
        status: how it stands.
        expires_after: it ends at or after.
        expires_before: it ends before.
        issued_after: it was issued at or after.
        issued_before: it was issued before.
    """

    now: datetime
    product: str | None = None
    owner_id: str | None = None
    email_indexes: Sequence[bytes] | None = field(default=None, repr=False)
    domain_indexes: Sequence[bytes] | None = field(default=None, repr=False)
    key_hint: str | None = None
    kind: Kind | None = None
    status: Status | None = None
    expires_after: datetime | None = None
    expires_before: datetime | None = None
    issued_after: datetime | None = None
    issued_before: datetime | None = None


NEVER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""What stands for the end of a license without one, where ends are compared."""


class LicenseOrder(StrEnum):
    """In which order licenses are listed; those without an end come last of all ends."""

    OLDEST = "oldest"
    NEWEST = "newest"
    ENDS_FIRST = "ends_first"
    ENDS_LAST = "ends_last"


@dataclass(frozen=True, slots=True)
class NewLicense:
    """A license about to be stored, with its key and its owner."""

    license: License
    details: LicenseDetails
    owner_id: str
    key: StoredKey


@dataclass(frozen=True, slots=True)
class Prepared:
    """A license that a line of an import asks for, with all that will be stored of it.

    Attributes:
        number: of the line.
        new: the license, of `owner`.
        owner: stored unless the email has an owner already.
        email_indexes: what an owner of the email may be found by, the current form first.
        change: for the audit log.
    """

    number: int
    new: NewLicense
    owner: StoredOwner
    email_indexes: tuple[bytes, ...] = field(repr=False)
    change: Change


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """One deployment of a license, as its client told of it.

    Attributes:
        instance_id: names it.
        first_seen_at: when it was registered.
        last_seen_at: of its newest request.
        client_name: name of its client library.
        client_version: its version.
        app_version: version of the licensed program.
        name: what its operator calls it.
        blocked_at: when the vendor blocked it.
        archived_at: when it was put away because nothing was heard of it.
    """

    instance_id: str
    first_seen_at: datetime
    last_seen_at: datetime
    client_name: str
    client_version: str
    app_version: str | None
    name: str | None
    blocked_at: datetime | None
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """An admin token as the database knows it: by its hash.

    Attributes:
        token_id: `tok_` and 26 symbols.
        name: what its holder is called.
        prefix: its first 10 characters.
        role: what it may do.
        created_at: when it was made.
        expires_at: its end.
        last_used_at: to the minute; None = never.
        revoked_at: when it was revoked; None = it was not.
    """

    token_id: str
    name: str
    prefix: str
    role: Role
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class OutboxKind(StrEnum):
    """What an entry of the outbox asks for."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    TRIAL = "trial"
    RECOVERY = "recovery"
    SIGN_IN = "sign_in"


class OutboxState(StrEnum):
    """How far an entry has come."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """Something to be done once its transaction holds.

    Attributes:
        entry_id: `out_` and 26 symbols; the seal of the payload is bound to it.
        kind: who does it.
        topic: template of a mail, type of a webhook's event.
        subject: id of what it is about, such as a license or a webhook endpoint.
        payload_sealed: JSON object, sealed; None once it is erased.
        state: how far it has come.
        attempts: how often it was tried.
        created_at: when it was written.
        due_at: not tried before.
        finished_at: when it was done or given up.
        error: why the last try failed, without personal data.
        dedupe_key: a second entry of the same key is not added; None = no such rule.
    """

    entry_id: str
    kind: OutboxKind
    topic: str
    subject: str | None
    payload_sealed: bytes | None = field(repr=False)
    state: OutboxState
    attempts: int
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None = None
    error: str | None = None
    dedupe_key: str | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the outbox still has to do.

    Attributes:
        waiting: entries that are not done.
        due_at: when the first of them is due.
    """

    waiting: int
    due_at: datetime | None = None

    def late(self, now: datetime) -> timedelta:
        """Return for how long an entry has been due; nothing while all have time."""
        return timedelta() if self.due_at is None else max(now - self.due_at, timedelta())


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Where events are sent.

    Attributes:
        endpoint_id: `whe_` and 26 symbols; the seals of its secrets are bound to it.
        url: https address.
        events: types that it gets; empty = all.
        secret_sealed: signs what is sent.
        previous_secret_sealed: signs beside it until `previous_until`.
        previous_until: end of the overlap.
        created_at: when it was made.
        disabled_at: when it was switched off; None = it is on.
        disabled_reason: why.
        version: how often it was changed, from 1 on.
    """

    endpoint_id: str
    url: str
    events: tuple[str, ...]
    secret_sealed: bytes = field(repr=False)
    previous_secret_sealed: bytes | None = field(repr=False)
    previous_until: datetime | None
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None
    version: int


@dataclass(frozen=True, slots=True)
class RecoveryLink:
    """A one-time link, known by its hash alone.

    Attributes:
        hash: 32 bytes.
        owner_id: who got it.
        product: whose keys it replaces; None = it signs in to the portal instead.
        expires_at: its end.
    """

    hash: bytes = field(repr=False)
    owner_id: str
    product: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PaidItem:
    """A bought line item and the license that came of it.

    Attributes:
        provider: such as `stripe`.
        item_id: of the line item, unique at its provider.
        license_id: what was issued for it.
        order_ref: what a refund or dispute names.
        subscription_ref: what a renewal names; None = bought once.
    """

    provider: str
    item_id: str
    license_id: str
    order_ref: str
    subscription_ref: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What was answered to an earlier request of the same idempotency key.

    Attributes:
        fingerprint: SHA-256 of that request.
        answer_sealed: the sealed answer; None once it is erased.
    """

    fingerprint: bytes
    answer_sealed: bytes | None = field(repr=False)


class ProductStore(Protocol):
    """Products."""

    async def get(self, code: str) -> ProductRecord | None:
        """Return a product, locked until the transaction ends."""

    async def all(self) -> Sequence[ProductRecord]:
        """Return all products, by code."""

    async def add(self, product: Product, now: datetime) -> None:
        """Store a new product."""

    async def save(self, product: Product) -> None:
        """Store a changed product under its next version."""


class OwnerStore(Protocol):
    """Owners, and who had a trial."""

    async def find(self, email_indexes: Sequence[bytes]) -> OwnerRecord | None:
        """Return the owner whom one of the indexes finds."""

    async def get(self, owner_id: str) -> OwnerRecord | None:
        """Return an owner."""

    async def add(self, owner: StoredOwner, now: datetime) -> None:
        """Store a new owner."""

    async def erase(self, tombstone: StoredOwner, now: datetime) -> None:
        """Put a tombstone in the place of the owner of its id."""

    async def claim_trial(
        self, product: str, email_indexes: Sequence[bytes], pepper_id: str, now: datetime
    ) -> bool:
        """Note that an email had its trial of a product; False = it had one before."""


class LicenseStore(Protocol):
    """Licenses with their keys."""

    async def get(self, license_id: str) -> LicenseRecord | None:
        """Return a license, locked until the transaction ends."""

    async def page(
        self,
        which: LicenseFilter,
        after: Position | None,
        limit: int,
        order: LicenseOrder = LicenseOrder.OLDEST,
    ) -> Sequence[LicenseRecord]:
        """Return up to `limit` licenses in an order, behind a position of the same order."""

    async def count(self, which: LicenseFilter, most: int) -> int:
        """Return how many licenses there are, `most` of them counted."""

    async def add(self, new: NewLicense) -> None:
        """Store a new license and its key."""

    async def save(self, license_: License, details: LicenseDetails, owner_id: str) -> None:
        """Store a changed license under its next version."""

    async def count_by_status(self, now: datetime) -> Mapping[tuple[str, Status], int]:
        """Return how many licenses there are of each product and status."""


class Import(Protocol):
    """Licenses on their way into the database, all in one transaction."""

    async def add(self, batch: Sequence[Prepared]) -> None:
        """Take a batch; the license of an email that has an owner becomes that owner's.

        Raises:
            StateConflict: a line asks for a second trial; it is named.
        """

    def finished(self) -> "AbstractAsyncContextManager[Transaction]":
        """Store what was taken, and begin the end of the transaction: leaving it commits.

        Raises:
            StateConflict: as above, or another transaction has just made the same.
        """


class KeyStore(Protocol):
    """License keys."""

    async def license_of(self, macs: Sequence[bytes], now: datetime) -> str | None:
        """Return the license that a key opens now."""

    async def add(self, key: StoredKey, now: datetime) -> None:
        """Store a further key of a license."""

    async def supersede(self, license_id: str, until: datetime) -> None:
        """End all keys of a license at `until`, unless they end sooner."""


class DeploymentStore(Protocol):
    """Deployments."""

    async def of_license(
        self, license_id: str, *, archived: bool, after: Position | None, limit: int
    ) -> Sequence[DeploymentRecord]:
        """Return up to `limit` deployments by their first sight, archived ones only if asked."""

    async def get(self, license_id: str, instance_id: str) -> DeploymentRecord | None:
        """Return one deployment."""

    async def set_blocked(
        self, license_id: str, instance_id: str, blocked_at: datetime | None
    ) -> None:
        """Block a deployment, or unblock it (None)."""

    async def remove(self, license_id: str, instance_id: str) -> None:
        """Forget a deployment."""

    async def remove_all(self, license_id: str) -> None:
        """Forget all deployments of a license."""

    async def archive_unseen(self, since: datetime, now: datetime) -> int:
        """Archive the deployments last seen before `since`; return how many."""


class TokenStore(Protocol):
    """Admin tokens."""

    async def add(self, token: AdminToken) -> None:
        """Store a new token by its hash."""

    async def find(self, token_hash: bytes) -> TokenRecord | None:
        """Return the token of a hash."""

    async def look_up(self, token_id: str) -> TokenRecord | None:
        """Return the token of an id."""

    async def get(self, token_id: str) -> TokenRecord | None:
        """Return the token of an id, locked until the transaction ends."""

    async def names(self, token_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the names of those ids that are of tokens."""

    async def all(self) -> Sequence[TokenRecord]:
        """Return all tokens, oldest first."""

    async def revoke(self, token_id: str, now: datetime) -> None:
        """End a token."""

    async def mark_used(self, token_id: str, now: datetime) -> None:
        """Remember when a token was used."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries of the audit log; None = whichever.

    Attributes:
        after: their numbers are above it.
        before: their numbers are below it.
        action: exactly, or a prefix that ends in a dot.
        actor: who did it.
        subjects: to what, blinded under each live pepper.
        since: written at or after.
        until: written before.
    """

    after: int | None = None
    before: int | None = None
    action: str | None = None
    actor: str | None = None
    subjects: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditStore(Protocol):
    """The audit log."""

    async def append(self, changes: Sequence[Change], now: datetime) -> None:
        """Append changes in their order."""

    async def entries(self, after: int, limit: int) -> Sequence[Entry]:
        """Return up to `limit` entries behind number `after`, in order."""

    async def newest(self, limit: int) -> Sequence[Entry]:
        """Return the last `limit` entries, in order."""

    async def page(self, which: AuditFilter, limit: int, *, newest: bool) -> Sequence[Entry]:
        """Return the first or the last `limit` entries that fit, in order."""


class OutboxStore(Protocol):
    """The outbox."""

    async def add(self, entry: OutboxEntry) -> bool:
        """Store an entry; False = there is one of its dedupe key."""

    async def get(self, entry_id: str) -> OutboxEntry | None:
        """Return an entry, locked until the transaction ends."""

    async def page(
        self,
        kind: OutboxKind,
        subject: str | None,
        state: OutboxState | None,
        after: Position | None,
        limit: int,
    ) -> Sequence[OutboxEntry]:
        """Return up to `limit` entries, oldest first."""

    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[OutboxEntry]:
        """Take up to `limit` due entries, which nobody else gets before `until`."""

    async def save(self, entry: OutboxEntry) -> None:
        """Store how far an entry has come, and give it up for others."""

    async def erase_payloads(self, kind: OutboxKind, before: datetime) -> int:
        """Erase what entries written before an instant hold; give pending ones up."""

    async def erase_subject(self, subject: str) -> None:
        """Erase what the entries about `subject` hold; give pending ones up."""

    async def backlog(self) -> Backlog:
        """Return what is pending."""


class WebhookStore(Protocol):
    """Webhook endpoints."""

    async def add(self, endpoint: WebhookEndpoint) -> None:
        """Store a new endpoint."""

    async def get(self, endpoint_id: str) -> WebhookEndpoint | None:
        """Return an endpoint, locked until the transaction ends."""

    async def all(self) -> Sequence[WebhookEndpoint]:
        """Return all endpoints, oldest first."""

    async def save(self, endpoint: WebhookEndpoint) -> None:
        """Store a changed endpoint under its next version."""

    async def remove(self, endpoint_id: str) -> None:
        """Forget an endpoint."""


class RecoveryStore(Protocol):
    """One-time links."""

    async def add(self, link: RecoveryLink) -> None:
        """Store a new link."""

    async def find(self, link_hash: bytes, now: datetime) -> RecoveryLink | None:
        """Return a link that is neither used nor over, locked until the transaction ends."""

    async def use(self, link_hash: bytes, now: datetime) -> None:
        """End a link."""

    async def void(self, owner_id: str, now: datetime) -> None:
        """End all links of an owner."""


class PaymentStore(Protocol):
    """What payment providers told."""

    async def add_event(self, provider: str, event_id: str, type_: str, now: datetime) -> bool:
        """Note an event; False = it was noted before."""

    async def has_event(self, provider: str, event_id: str) -> bool:
        """Tell whether an event was noted."""

    async def add_reference(self, provider: str, payment_ref: str, order_ref: str) -> None:
        """Note which order a payment was for, unless that is known."""

    async def order_of(self, provider: str, payment_ref: str) -> str | None:
        """Return the order that a payment was for; None = that was never told."""

    async def add_item(self, item: PaidItem, now: datetime) -> None:
        """Note what was issued for a line item."""

    async def has_item(self, provider: str, item_id: str) -> bool:
        """Tell whether a license was issued for a line item."""

    async def of_order(self, provider: str, order_ref: str) -> Sequence[PaidItem]:
        """Return the items of an order."""

    async def of_subscription(self, provider: str, subscription_ref: str) -> Sequence[PaidItem]:
        """Return the items of a subscription."""


class IdempotencyStore(Protocol):
    """Answers to requests that may come again."""

    async def claim(self, actor: str, key: str, fingerprint: bytes, now: datetime) -> Kept | None:
        """Take a key for the request under way; if it is taken, return what it was taken for."""

    async def find(self, actor: str, key: str) -> Kept | None:
        """Return what a key was taken for."""

    async def keep(self, actor: str, key: str, answer_sealed: bytes) -> None:
        """Store the answer of a claimed key."""

    async def keep_part(
        self, actor: str, key: str, number: int, part_sealed: bytes, now: datetime
    ) -> None:
        """Store part `number`, from 0 on, of the long answer of a claimed key."""

    async def parts(self, actor: str, key: str, start: int, limit: int) -> Sequence[bytes]:
        """Return up to `limit` sealed parts of a long answer, from part `start` on."""

    async def forget_before(self, before: datetime) -> int:
        """Forget the keys claimed before an instant."""


class StateStore(Protocol):
    """What the server remembers of itself."""

    async def replace_newest_time(self, now: datetime) -> datetime:
        """Make `now` the newest time seen, even if it is earlier; return the one before."""

    async def claim_schedule(self, name: str, now: datetime, next_at: datetime) -> bool:
        """Take a job that is due and put its next time; False = it is not due yet."""

    async def forget_counters(self, before: datetime) -> int:
        """Drop the counters of rate limits that ended before then; return how many these were."""


class Transaction(Protocol):
    """One transaction; all of it holds, or nothing."""

    @property
    def products(self) -> ProductStore:
        """Products."""

    @property
    def owners(self) -> OwnerStore:
        """Owners."""

    @property
    def licenses(self) -> LicenseStore:
        """Licenses."""

    @property
    def keys(self) -> KeyStore:
        """License keys."""

    @property
    def deployments(self) -> DeploymentStore:
        """Deployments."""

    @property
    def tokens(self) -> TokenStore:
        """Admin tokens."""

    @property
    def operators(self) -> OperatorStore:
        """Operators."""

    @property
    def sessions(self) -> SessionStore:
        """Sessions of browsers."""

    @property
    def audit(self) -> AuditStore:
        """The audit log."""

    @property
    def outbox(self) -> OutboxStore:
        """The outbox."""

    @property
    def webhooks(self) -> WebhookStore:
        """Webhook endpoints."""

    @property
    def recovery(self) -> RecoveryStore:
        """One-time links."""

    @property
    def payments(self) -> PaymentStore:
        """Payments."""

    @property
    def idempotency(self) -> IdempotencyStore:
        """Answers that may be asked for again."""

    @property
    def stats(self) -> StatsStore:
        """Counts."""

    @property
    def state(self) -> StateStore:
        """The server's own state."""


class Repository(Protocol):
    """Where the vendor's work is done. Every method raises `NotReady` on a fault of it."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction; leaving it commits, an exception undoes it.

        Raises:
            StateConflict: another transaction has just made the same.
        """

    def importing(self, now: datetime) -> AbstractAsyncContextManager[Import]:
        """Begin an import; leaving it undoes what is not finished.

        Raises:
            StateConflict: another transaction has just made the same.
        """
