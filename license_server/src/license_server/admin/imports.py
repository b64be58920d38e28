"""Many licenses at once: judged line by line, then stored batch by batch in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from license_server.admin.licenses import license_state, sound_metadata
from license_server.admin.owners import Owners
from license_server.admin.products import Products
from license_server.desk import Desk
from license_server.emails import Email
from license_server.errors import FieldError, InvalidField, StateConflict
from license_server.license_keys import LicenseKey
from license_server.licenses import Kind
from license_server.orders import Order, new_license
from license_server.products import Policy
from license_server.stores import LicenseDetails, NewLicense, StoredKey, StoredOwner


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
class Imported:
    """What came of a line, with its key, this once."""

    line: Line
    license_id: str
    key: str = field(repr=False)


class Imports:
    """Judges and stores lines.

    Args:
        desk: where the work is done.
        policies: of all products, by code.
    """

    def __init__(self, desk: Desk, policies: Mapping[str, Policy]) -> None:
        self._desk = desk
        self._policies = policies
        self._owners = Owners(desk)

    @classmethod
    async def at(cls, desk: Desk) -> "Imports":
        """Return the imports of a desk, which knows the products that there are now."""
        records = await Products(desk).all()
        return cls(desk, {one.product.code: one.product.policy for one in records})

    def judge(self, line: Line) -> None:
        """Do nothing if a line may be imported.

        Raises:
            InvalidField: its product is unknown, or its members are not sound.
        """
        new_license(line.order, self._policy(line), self._desk.now)
        sound_metadata(line.metadata)

    async def add(self, lines: Sequence[Line]) -> Sequence[Imported]:
        """Store a batch of lines.

        Raises:
            InvalidField: a line is not what `judge` lets through.
            StateConflict: a line asks for a second trial; it is named.
        """
        for line in lines:
            if line.order.kind is Kind.TRIAL:
                await self._claim_trial(line)
        owner_ids = await self._owner_ids([line.order.email for line in lines])
        made = [self._made(line, owner_ids[line.order.email]) for line in lines]
        await self._desk.transaction.licenses.add_many([new for new, _ in made])
        changes = [
            self._desk.change(
                "license.issue", new.license.license_id, None, license_state(new.license)
            )
            for new, _ in made
        ]
        await self._desk.transaction.audit.append(changes, self._desk.now)
        return [imported for _, imported in made]

    def _made(self, line: Line, owner_id: str) -> tuple[NewLicense, Imported]:
        policy = self._policy(line)
        license_ = new_license(line.order, policy, self._desk.now)
        key, pepper = LicenseKey.generate(), self._desk.vault.peppers.current
        stored = StoredKey(pepper.key_mac(key), pepper.pepper_id, key.hint, license_.license_id)
        new = NewLicense(license_, LicenseDetails(line.metadata), owner_id, stored)
        return new, Imported(line, license_.license_id, key.reveal(policy.key_prefix))

    async def _owner_ids(self, emails: Sequence[Email]) -> Mapping[Email, str]:
        """Return the owner of each email, making those that are missing."""
        indexes = {email: self._desk.vault.peppers.email_indexes(email) for email in emails}
        wanted = [index for known in indexes.values() for index in known]
        found = await self._desk.transaction.owners.ids_of(wanted)
        ids: dict[Email, str] = {}
        missing: list[StoredOwner] = []
        for email, known in indexes.items():
            owner_id = next((found[index] for index in known if index in found), None)
            if owner_id is None:
                missing.append(self._desk.vault.owner(email))
                owner_id = missing[-1].owner_id
            ids[email] = owner_id
        await self._desk.transaction.owners.add_many(missing, self._desk.now)
        return ids

    async def _claim_trial(self, line: Line) -> None:
        try:
            await self._owners.claim_trial(line.order.product, line.order.email)
        except StateConflict as error:
            raise StateConflict(f"line {line.number}: {error}") from error

    def _policy(self, line: Line) -> Policy:
        policy = self._policies.get(line.order.product)
        if policy is None:
            raise InvalidField(FieldError("product", "the code of a product is expected"))
        return policy
