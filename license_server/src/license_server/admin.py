"""The vendor's work: products and licenses, each change recorded in the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from license_server.admin_ports import (
    AdminRepository,
    AdminTransaction,
    LicenseRecord,
    StoredKey,
    StoredOwner,
)
from license_server.audit import Change as AuditChange
from license_server.audit import State
from license_server.emails import Email
from license_server.errors import NotFound, StateConflict
from license_server.license_keys import LicenseKey, random_symbols
from license_server.licenses import Change, Kind, License, Status
from license_server.orders import Order, new_license
from license_server.products import Product, require_sound
from license_server.sealing import Peppers, Sealer
from license_server.tokens import AdminToken, Role

_OWNER_SYMBOLS: Final = 26


@dataclass(frozen=True, slots=True)
class Issued:
    """A new license and, this once, its key.

    Attributes:
        license: the license.
        key: the whole key as its owner types it; the database does not hold it.
    """

    license: License
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LicenseView:
    """A license as a vendor sees it.

    Attributes:
        license: the license.
        status: how it stands now.
        email: of its owner.
        key_hint: last 4 symbols of its newest key.
        deployments: how many are registered.
    """

    license: License
    status: Status
    email: Email
    key_hint: str
    deployments: int


class Admin:
    """Does the vendor's work.

    Args:
        repository: where it is done.
        peppers: blind keys and emails.
        sealer: seals and opens emails.
        actor: who does it, for the audit log.
    """

    def __init__(
        self, repository: AdminRepository, peppers: Peppers, sealer: Sealer, actor: str
    ) -> None:
        self._repository = repository
        self._peppers = peppers
        self._sealer = sealer
        self._actor = actor

    async def create_product(self, product: Product, now: datetime) -> None:
        """Add a product.

        Raises:
            InvalidField: members of it that nobody could live with.
            StateConflict: its code is taken.
        """
        require_sound(product)
        async with self._repository.transaction() as transaction:
            if await transaction.product(product.code):
                raise StateConflict(f"there is a product {product.code} already")
            await transaction.add_product(product, now)
            await self._record(
                transaction, "product.create", product.code, None, {"name": product.name}, now
            )

    async def list_products(self) -> Sequence[Product]:
        """Return all products, by code."""
        async with self._repository.transaction() as transaction:
            return await transaction.products()

    async def issue_license(self, order: Order, now: datetime) -> Issued:
        """Make a license and its key, and the owner if there is none.

        Raises:
            NotFound: there is no such product.
            InvalidField: the license would end before it starts.
            StateConflict: the owner had a trial of the product before.
        """
        async with self._repository.transaction() as transaction:
            product = await transaction.product(order.product)
            if product is None:
                raise NotFound(f"there is no product {order.product}: create it first")
            license_ = new_license(order, product.policy, now)
            owner_id = await self._owner_of(transaction, order.email, now)
            if order.kind is Kind.TRIAL and await transaction.has_trial(product.code, owner_id):
                raise StateConflict("this email had a trial of this product before")
            key = LicenseKey.generate()
            await transaction.add_license(license_, owner_id, self._stored(key, license_))
            await self._record(
                transaction, "license.issue", license_.license_id, None, _state(license_), now
            )
        return Issued(license_, key.reveal(product.policy.key_prefix))

    async def show_license(self, license_id: str, now: datetime) -> LicenseView:
        """Return a license.

        Raises:
            NotFound: there is none of this id.
        """
        async with self._repository.transaction() as transaction:
            return self._view(await _require_license(transaction, license_id), now)

    async def list_licenses(
        self, product: str | None, email: Email | None, now: datetime
    ) -> Sequence[LicenseView]:
        """Return licenses, oldest first; None = of every product, of every owner."""
        indexes = None if email is None else self._peppers.email_indexes(email)
        async with self._repository.transaction() as transaction:
            records = await transaction.licenses(product, indexes)
        return [self._view(record, now) for record in records]

    async def change_standing(self, license_id: str, change: Change, now: datetime) -> LicenseView:
        """Suspend, reinstate or revoke a license.

        Raises:
            NotFound: there is none of this id.
            StateConflict: the change does not fit its standing.
        """
        async with self._repository.transaction() as transaction:
            record = await _require_license(transaction, license_id)
            changed = record.license.after(change)
            return await self._save(transaction, record, changed, f"license.{change}", now)

    async def renew_license(
        self, license_id: str, until: datetime | None, lasts: timedelta | None, now: datetime
    ) -> LicenseView:
        """Give a paid license a later end.

        Args:
            license_id: which one.
            until: its new end.
            lasts: instead: how much longer than its present end, or than now if it has passed;
                None with no `until` = as long as the product's policy says.
            now: the server's time.

        Raises:
            NotFound: there is none of this id.
            StateConflict: it cannot be renewed, or not so.
        """
        async with self._repository.transaction() as transaction:
            record = await _require_license(transaction, license_id)
            end = until or await _later_end(transaction, record.license, lasts, now)
            changed = record.license.renewed(end, now)
            return await self._save(transaction, record, changed, "license.renew", now)

    async def create_token(self, role: Role, now: datetime) -> AdminToken:
        """Make an admin token; only its hash is kept."""
        token = AdminToken.generate(role, now)
        state = {"role": role.value, "expires_at": int(token.expires_at.timestamp())}
        async with self._repository.transaction() as transaction:
            await transaction.add_admin_token(token)
            await self._record(transaction, "token.create", token.prefix, None, state, now)
        return token

    async def accept_clock(self, now: datetime) -> datetime:
        """Take `now` as right, although a clock that ran ahead has left a later time behind.

        Returns:
            The newest time seen before.
        """
        async with self._repository.transaction() as transaction:
            before = await transaction.replace_newest_time(now)
            old, new = ({"newest_at": int(time.timestamp())} for time in (before, now))
            await self._record(transaction, "clock.accept", "clock", old, new, now)
        return before

    async def record_keyset(self, issuer: str, epoch: int, now: datetime) -> None:
        """Record that this server has a new key set."""
        async with self._repository.transaction() as transaction:
            await self._record(transaction, "keyset.publish", issuer, None, {"epoch": epoch}, now)

    async def _owner_of(self, transaction: AdminTransaction, email: Email, now: datetime) -> str:
        known = await transaction.owner_id(self._peppers.email_indexes(email))
        if known is not None:
            return known
        owner_id = f"own_{random_symbols(_OWNER_SYMBOLS).lower()}"
        pepper = self._peppers.current
        owner = StoredOwner(
            owner_id=owner_id,
            email_index=pepper.email_index(email),
            domain_index=pepper.domain_index(email),
            email_sealed=self._sealer.seal(email, owner_id),
            pepper_id=pepper.pepper_id,
        )
        await transaction.add_owner(owner, now)
        return owner_id

    def _stored(self, key: LicenseKey, license_: License) -> StoredKey:
        pepper = self._peppers.current
        return StoredKey(pepper.key_mac(key), pepper.pepper_id, key.hint, license_.license_id)

    async def _save(
        self,
        transaction: AdminTransaction,
        record: LicenseRecord,
        changed: License,
        action: str,
        now: datetime,
    ) -> LicenseView:
        before, after = _state(record.license), _state(changed)
        await transaction.save_license(changed)
        await self._record(transaction, action, changed.license_id, before, after, now)
        return self._view(replace(record, license=changed), now)

    async def _record(
        self,
        transaction: AdminTransaction,
        action: str,
        subject: str,
        before: State | None,
        after: State,
        now: datetime,
    ) -> None:
        blinded = self._peppers.current.audit_subject(subject)
        await transaction.record(AuditChange(self._actor, action, blinded, before, after), now)

    def _view(self, record: LicenseRecord, now: datetime) -> LicenseView:
        return LicenseView(
            license=record.license,
            status=record.license.status(now),
            email=self._sealer.unseal(record.email_sealed, record.owner_id),
            key_hint=record.key_hint,
            deployments=record.deployments,
        )


async def _require_license(transaction: AdminTransaction, license_id: str) -> LicenseRecord:
    record = await transaction.license(license_id)
    if record is None:
        raise NotFound("there is no license of this id: see `license-server license list`")
    return record


async def _later_end(
    transaction: AdminTransaction, license_: License, lasts: timedelta | None, now: datetime
) -> datetime | None:
    if lasts is None:
        product = await transaction.product(license_.product)
        lasts = product.policy.validity if product else None
    if lasts is None or license_.expires_at is None:
        return None
    return max(license_.expires_at, now) + lasts


def _state(license_: License) -> State:
    """Return what the audit log tells of a license."""
    end = license_.expires_at
    return {
        "product": license_.product,
        "kind": license_.kind.value,
        "standing": license_.standing.value,
        "expires_at": None if end is None else int(end.timestamp()),
    }
