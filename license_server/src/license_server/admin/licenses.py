"""Licenses through their life, from issue to revocation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from license_server.admin.events import announce
from license_server.admin.mails import mail_key
from license_server.admin.owners import Owners
from license_server.admin.products import Products
from license_server.audit import State
from license_server.desk import Desk
from license_server.emails import Email
from license_server.errors import FieldError, InvalidField, NotFound, StateConflict
from license_server.license_keys import LicenseKey
from license_server.licenses import Change, Kind, License, Standing, Status
from license_server.orders import Order, new_license
from license_server.products import broken_entitlements
from license_server.stores import (
    LicenseDetails,
    LicenseFilter,
    LicenseOrder,
    LicenseRecord,
    NewLicense,
    Position,
    StoredKey,
)

MAX_METADATA: Final = 50
MAX_METADATA_NAME: Final = 64
MAX_METADATA_VALUE: Final = 500
MAX_NOTES: Final = 4000
MAX_OVERLAP: Final = timedelta(days=90)
"""How long a replaced key may go on beside its successor."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A license and, this once, its new key.

    Attributes:
        view: the license.
        key: the whole key as its owner types it; the database does not hold it.
    """

    view: "LicenseView"
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LicenseView:
    """A license as a vendor sees it.

    Attributes:
        license: the license.
        status: how it stands now.
        owner_id: of its owner.
        email: of its owner; None = erased.
        key_hint: last 4 symbols of its newest key.
        deployments: how many are registered.
        metadata: short texts by name.
        notes: free text.
        version: how often it was changed, from 1 on.
    """

    license: License
    status: Status
    owner_id: str
    email: Email | None
    key_hint: str
    deployments: int
    metadata: Mapping[str, str]
    notes: str | None = field(repr=False)
    version: int


class Licenses:
    """Issues licenses and changes them.

    Args:
        desk: where the work is done.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.transaction.licenses

    async def issue(
        self, order: Order, metadata: Mapping[str, str] | None = None, *, mails_key: bool = False
    ) -> Issued:
        """Make a license and its key, and the owner if there is none.

        Args:
            order: what to issue.
            metadata: short texts by name.
            mails_key: send the key to its owner.

        Raises:
            NotFound: there is no such product.
            InvalidField: the license would end before it starts, or a member is not sound.
            StateConflict: the owner had a trial of the product before.
        """
        now = self._desk.now
        product = (await Products(self._desk).get(order.product)).product
        details = LicenseDetails(sound_metadata(metadata or {}))
        made = new_license(order, product.policy, now)
        if order.kind is Kind.TRIAL:
            await Owners(self._desk).claim_trial(product.code, order.email)
        owner_id = await Owners(self._desk).id_of(order.email)
        key = LicenseKey.generate()
        await self._store.add(NewLicense(made, details, owner_id, self._stored(key, made)))
        await self._desk.record("license.issue", made.license_id, None, license_state(made))
        view = await self.get(made.license_id)
        text = key.reveal(product.policy.key_prefix)
        if mails_key:
            await mail_key(self._desk, view.license, product, order.email, text)
        await announce(self._desk, "license.issued", view)
        return Issued(view, text)

    async def get(self, license_id: str) -> LicenseView:
        """Return a license.

        Raises:
            NotFound: there is none of this id.
        """
        return self._view(await self._require(license_id))

    async def page(
        self,
        which: LicenseFilter,
        after: Position | None,
        limit: int,
        order: LicenseOrder = LicenseOrder.OLDEST,
    ) -> Sequence[LicenseView]:
        """Return up to `limit` licenses in an order, behind a position of the same order."""
        records = await self._store.page(which, after, limit, order)
        return [self._view(record) for record in records]

    async def change_standing(self, license_id: str, change: Change) -> LicenseView:
        """Suspend, reinstate or revoke a license.

        Raises:
            NotFound: there is none of this id.
            StateConflict: the change does not fit its standing.
        """
        record = await self._require(license_id)
        return await self._save(record, f"license.{change}", record.license.after(change))

    async def renew(
        self,
        license_id: str,
        *,
        until: datetime | None = None,
        lasts: timedelta | None = None,
        from_now: bool = False,
    ) -> LicenseView:
        """Give a paid license a later end.

        Args:
            license_id: which one.
            until: its new end.
            lasts: instead: how much longer; None with no `until` = as the product's policy says.
            from_now: `lasts` counts from now, else from its present end unless that has passed.

        Raises:
            NotFound: there is none of this id.
            StateConflict: it cannot be renewed, or not so.
        """
        record = await self._require(license_id)
        end = until
        if end is None and record.license.expires_at is not None:
            begins = self._desk.now
            if not from_now:
                begins = max(begins, record.license.expires_at)
            length = await self._length(record.license, lasts)
            end = None if length is None else begins + length
        changed = record.license.renewed(end, self._desk.now)
        return await self._save(record, "license.renew", changed)

    async def convert(
        self, license_id: str, *, until: datetime | None = None, lasts: timedelta | None = None
    ) -> LicenseView:
        """Make a trial a paid license, which keeps its key, its deployments and its history.

        Args:
            license_id: which one.
            until: its end.
            lasts: instead: how long from now; None with no `until` = as the product's policy says.

        Raises:
            NotFound: there is none of this id.
            StateConflict: it is no trial, or revoked.
        """
        record = await self._require(license_id)
        length = await self._length(record.license, lasts)
        end = until or (None if length is None else self._desk.now + length)
        product = (await Products(self._desk).get(record.license.product)).product
        changed = record.license.converted(end, product.policy.renewal_grace, self._desk.now)
        return await self._save(record, "license.convert", changed)

    async def edit(
        self,
        license_id: str,
        *,
        entitlements: Sequence[str] | None = None,
        metadata: Mapping[str, str] | None = None,
        notes: str | None = None,
    ) -> LicenseView:
        """Change what a license grants beside its product, or what the vendor keeps with it.

        Args:
            license_id: which one.
            entitlements: all of them; None = as they are.
            metadata: all of it; None = as it is.
            notes: free text, "" for none; None = as they are.

        Raises:
            NotFound: there is none of this id.
            InvalidField: members break their rules.
        """
        record = await self._require(license_id)
        changed, details = record.license, record.details
        if entitlements is not None:
            broken = broken_entitlements(entitlements)
            if broken is not None:
                raise InvalidField(broken)
            changed = replace(changed, entitlements=tuple(sorted(set(entitlements))))
        if metadata is not None:
            details = replace(details, metadata=sound_metadata(metadata))
        if notes is not None:
            details = replace(details, notes_sealed=self._sealed_notes(notes, license_id))
        return await self._save(record, "license.edit", changed, details=details)

    async def transfer(self, license_id: str, email: Email, *, mails_key: bool = False) -> Issued:
        """Give a license to another owner: the old key dies at once, as do open recovery links.

        Raises:
            NotFound: there is none of this id.
            StateConflict: it is revoked, or the owner's already.
        """
        record = await self._require(license_id)
        owner_id = await Owners(self._desk).id_of(email)
        if record.license.standing is Standing.REVOKED:
            raise StateConflict("cannot transfer a license that is revoked")
        if owner_id == record.owner_id:
            raise StateConflict("the license belongs to this email already")
        await self._desk.transaction.recovery.void(record.owner_id, self._desk.now)
        await self._desk.transaction.deployments.remove_all(license_id)
        await self._save(record, "license.transfer", record.license, owner_id=owner_id)
        return await self._replace_key(record.license, email, timedelta(), mails_key=mails_key)

    async def rotate_key(
        self, license_id: str, overlap: timedelta, *, mails_key: bool = False
    ) -> Issued:
        """Make a new key; the old one goes on for `overlap`, with the warning `KEY_SUPERSEDED`.

        Raises:
            NotFound: there is none of this id.
            InvalidField: the overlap is too long.
            StateConflict: it is revoked, or its owner erased.
        """
        if not timedelta() <= overlap <= MAX_OVERLAP:
            expected = f"a time of at most {MAX_OVERLAP.days} days is expected"
            raise InvalidField(FieldError("overlap_seconds", expected))
        view = await self.get(license_id)
        if view.license.standing is Standing.REVOKED:
            raise StateConflict("cannot replace the key of a license that is revoked")
        if view.email is None:
            raise StateConflict("cannot replace the key of a license whose owner is erased")
        return await self._replace_key(view.license, view.email, overlap, mails_key=mails_key)

    async def _replace_key(
        self, license_: License, email: Email, overlap: timedelta, *, mails_key: bool
    ) -> Issued:
        ends = self._desk.now + overlap
        key = LicenseKey.generate()
        stored = self._stored(key, license_)
        await self._desk.transaction.keys.supersede(license_.license_id, ends)
        await self._desk.transaction.keys.add(stored, self._desk.now)
        after = {"old_keys_end_at": int(ends.timestamp())}
        await self._desk.record("license.rotate_key", license_.license_id, None, after)
        product = (await Products(self._desk).get(license_.product)).product
        text = key.reveal(product.policy.key_prefix)
        if mails_key:
            await mail_key(self._desk, license_, product, email, text)
        view = await self.get(license_.license_id)
        await announce(self._desk, "license.key_rotated", view)
        return Issued(view, text)

    async def _length(self, license_: License, lasts: timedelta | None) -> timedelta | None:
        if lasts is not None:
            return lasts
        return (await Products(self._desk).get(license_.product)).product.policy.validity

    async def _require(self, license_id: str) -> LicenseRecord:
        record = await self._store.get(license_id)
        if record is None:
            raise NotFound("there is no license of this id")
        return record

    def _stored(self, key: LicenseKey, license_: License) -> StoredKey:
        pepper = self._desk.vault.peppers.current
        return StoredKey(pepper.key_mac(key), pepper.pepper_id, key.hint, license_.license_id)

    async def _save(
        self,
        record: LicenseRecord,
        action: str,
        changed: License,
        *,
        details: LicenseDetails | None = None,
        owner_id: str | None = None,
    ) -> LicenseView:
        kept, owner = details or record.details, owner_id or record.owner_id
        await self._store.save(changed, kept, owner)
        await self._desk.record(
            action, changed.license_id, license_state(record.license), license_state(changed)
        )
        view = await self.get(changed.license_id)
        await announce(self._desk, _EVENTS[action], view)
        return view

    def _view(self, record: LicenseRecord) -> LicenseView:
        vault = self._desk.vault
        license_id = record.license.license_id
        sealed = record.details.notes_sealed
        notes = None if sealed is None else vault.sealer.unseal_bytes(sealed, _notes_of(license_id))
        return LicenseView(
            license=record.license,
            status=record.license.status(self._desk.now),
            owner_id=record.owner_id,
            email=vault.email_of(record.email_sealed, record.owner_id),
            key_hint=record.key_hint,
            deployments=record.deployments,
            metadata=record.details.metadata,
            notes=None if notes is None else notes.decode(),
            version=record.version,
        )

    def _sealed_notes(self, notes: str, license_id: str) -> bytes | None:
        if len(notes) > MAX_NOTES:
            raise InvalidField(FieldError("notes", f"at most {MAX_NOTES} characters are expected"))
        if not notes:
            return None
        return self._desk.vault.sealer.seal_bytes(notes.encode(), _notes_of(license_id))


_EVENTS: Final = {
    "license.suspend": "license.suspended",
    "license.reinstate": "license.reinstated",
    "license.revoke": "license.revoked",
    "license.renew": "license.renewed",
    "license.convert": "license.converted",
    "license.edit": "license.edited",
    "license.transfer": "license.transferred",
}


def _notes_of(license_id: str) -> str:
    return f"licenses.notes.{license_id}"


def sound_metadata(metadata: Mapping[str, str]) -> Mapping[str, str]:
    """Return metadata that keeps its bounds.

    Raises:
        InvalidField: it does not.
    """
    fits = len(metadata) <= MAX_METADATA and all(
        0 < len(name) <= MAX_METADATA_NAME and len(value) <= MAX_METADATA_VALUE
        for name, value in metadata.items()
    )
    if not fits:
        expected = (
            f"at most {MAX_METADATA} names of 1 to {MAX_METADATA_NAME} characters, each with a "
            f"text of at most {MAX_METADATA_VALUE}, are expected"
        )
        raise InvalidField(FieldError("metadata", expected))
    return dict(metadata)


def license_state(license_: License) -> State:
    """Return what the audit log tells of a license."""
    end = license_.expires_at
    return {
        "product": license_.product,
        "kind": license_.kind.value,
        "standing": license_.standing.value,
        "expires_at": None if end is None else int(end.timestamp()),
        "entitlements": list(license_.entitlements),
    }
