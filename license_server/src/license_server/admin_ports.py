"""What the vendor's work asks of the repository."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from license_server.audit import Change
from license_server.licenses import License
from license_server.products import Product
from license_server.tokens import AdminToken


@dataclass(frozen=True, slots=True)
class StoredOwner:
    """An owner as the database holds one: no email in clear.

    Attributes:
        owner_id: `own_` and 26 random symbols; the seal of the email is bound to it.
        email_index: what it is found by, 32 bytes.
        domain_index: what the owners of its domain are found by, 32 bytes.
        email_sealed: see `sealing.Sealer.seal`.
        pepper_id: made both indexes.
    """

    owner_id: str
    email_index: bytes = field(repr=False)
    domain_index: bytes = field(repr=False)
    email_sealed: bytes = field(repr=False)
    pepper_id: str


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
class LicenseRecord:
    """A license with what a vendor sees beside it.

    Attributes:
        license: the license.
        owner_id: of its owner.
        email_sealed: of its owner.
        key_hint: last 4 symbols of its newest key.
        deployments: how many are registered.
    """

    license: License
    owner_id: str
    email_sealed: bytes = field(repr=False)
    key_hint: str
    deployments: int


class AdminTransaction(Protocol):
    """One transaction; all of it holds, or nothing."""

    async def product(self, code: str) -> Product | None:
        """Return a product."""

    async def products(self) -> Sequence[Product]:
        """Return all products, by code."""

    async def add_product(self, product: Product, now: datetime) -> None:
        """Store a new product."""

    async def owner_id(self, email_indexes: Sequence[bytes]) -> str | None:
        """Return the id of the owner whom one of the indexes finds."""

    async def add_owner(self, owner: StoredOwner, now: datetime) -> None:
        """Store a new owner."""

    async def add_license(self, license_: License, owner_id: str, key: StoredKey) -> None:
        """Store a new license and its key."""

    async def has_trial(self, product: str, owner_id: str) -> bool:
        """Tell whether the owner ever had a trial of the product."""

    async def license(self, license_id: str) -> LicenseRecord | None:
        """Return a license, locked until the transaction ends."""

    async def licenses(
        self, product: str | None, email_indexes: Sequence[bytes] | None
    ) -> Sequence[LicenseRecord]:
        """Return licenses, oldest first; None = of every product, of every owner."""

    async def save_license(self, license_: License) -> None:
        """Store the standing and the end of a license."""

    async def add_admin_token(self, token: AdminToken) -> None:
        """Store a new token by its hash."""

    async def replace_newest_time(self, now: datetime) -> datetime:
        """Make `now` the newest time seen, even if it is earlier; return the one before."""

    async def record(self, change: Change, now: datetime) -> None:
        """Append a change to the audit log."""


class AdminRepository(Protocol):
    """Where the vendor's work is done. Every method raises `NotReady` on a fault of it."""

    def transaction(self) -> AbstractAsyncContextManager[AdminTransaction]:
        """Begin a transaction; leaving it commits, an exception undoes it.

        Raises:
            StateConflict: another transaction has just made the same.
        """
