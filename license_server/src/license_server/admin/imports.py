"""Many licenses at once: each is made of its line alone, before any of them is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from license_server.admin.licenses import license_state, sound_metadata
from license_server.admin.products import Products
from license_server.desk import Desk
from license_server.errors import FieldError, InvalidField
from license_server.license_keys import LicenseKey
from license_server.orders import Order, new_license
from license_server.products import Policy
from license_server.stores import LicenseDetails, NewLicense, Prepared, StoredKey


@dataclass(frozen=True, slots=True)
class Line:
    """What one line asks for.

    Attributes:
        number: of the line, from 1 on.
        order: what to issue.
        metadata: short texts by name.
    """

    number: int
    order: Order
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a line, with its key, this once."""

    line: Line
    prepared: Prepared
    key: str = field(repr=False)


class Imports:
    """Makes licenses of lines.

    Args:
        desk: who does it, and when; its transaction is not used.
        policies: of all products, by code.
    """

    def __init__(self, desk: Desk, policies: Mapping[str, Policy]) -> None:
        self._desk = desk
        self._policies = policies

    @classmethod
    async def at(cls, desk: Desk) -> "Imports":
        """Return the imports of a desk, which knows the products that there are now."""
        records = await Products(desk).all()
        return cls(desk, {one.product.code: one.product.policy for one in records})

    def make(self, line: Line) -> Made:
        """Make the license of a line.

        Raises:
            InvalidField: its product is unknown, or its members are not sound.
        """
        policy, email = self._policy(line), line.order.email
        license_ = new_license(line.order, policy, self._desk.now)
        metadata = sound_metadata(line.metadata)
        peppers, owner = self._desk.vault.peppers, self._desk.vault.owner(email)
        key, pepper = LicenseKey.generate(), peppers.current
        stored = StoredKey(pepper.key_mac(key), pepper.pepper_id, key.hint, license_.license_id)
        prepared = Prepared(
            number=line.number,
            new=NewLicense(license_, LicenseDetails(metadata), owner.owner_id, stored),
            owner=owner,
            email_indexes=peppers.email_indexes(email),
            change=self._desk.change(
                "license.issue", license_.license_id, None, license_state(license_)
            ),
        )
        return Made(line, prepared, key.reveal(policy.key_prefix))

    def _policy(self, line: Line) -> Policy:
        policy = self._policies.get(line.order.product)
        if policy is None:
            raise InvalidField(FieldError("product", "the code of a product is expected"))
        return policy
