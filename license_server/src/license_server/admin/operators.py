"""Operators: made, signed in, given a new password, switched off."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from license_server.audit import State
from license_server.desk import Desk
from license_server.errors import (
    CredentialInvalid,
    FieldError,
    InvalidField,
    NotFound,
    StateConflict,
)
from license_server.operators import NAME, Operator
from license_server.passwords import (
    generate_password,
    hash_password,
    password_weakness,
    verify_password,
)
from license_server.tokens import Role, drawn_id
from license_server.totp import enrollment_uri, matching_step, new_secret, secret_text

_REFUSAL: Final = "name, password or code is not right"
"""The same whatever was wrong: it tells nobody who is an operator."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An operator with, this once, what it signs in by.

    Attributes:
        operator: without secrets in clear.
        password: made for it.
        totp_secret: for its authenticator app, base32.
        totp_uri: the same for a QR code.
    """

    operator: Operator
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)
    totp_uri: str = field(repr=False)


class Operators:
    """Makes and changes operators.

    Args:
        desk: where the work is done.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.transaction.operators

    async def create(self, name: str, role: Role) -> Enrolled:
        """Make an operator with a password and a TOTP secret that are told this once.

        Raises:
            InvalidField: the name is none.
            StateConflict: there is one of this name.
        """
        if not NAME.fullmatch(name):
            expected = "1 to 64 of a-z 0-9 . _ @ - are expected, a letter or digit first"
            raise InvalidField(FieldError("name", expected))
        enrolled = await self._enrolled(
            Operator(f"opr_{drawn_id()}", name, role, "", b"", 0, self._desk.now)
        )
        if not await self._store.add(enrolled.operator):
            raise StateConflict("there is an operator of this name already")
        await self._record("create", enrolled.operator, {"role": role.value})
        return enrolled

    async def all(self) -> Sequence[Operator]:
        """Return all operators, by name."""
        return await self._store.all()

    async def get(self, operator_id: str) -> Operator:
        """Return an operator.

        Raises:
            NotFound: there is none of this id.
        """
        operator = await self._store.get(operator_id)
        if operator is None:
            raise NotFound("there is no operator of this id")
        return operator

    async def reset(self, operator_id: str) -> Enrolled:
        """Give an operator a new password and TOTP secret, and end its sessions.

        Raises:
            NotFound: there is none of this id.
        """
        enrolled = await self._enrolled(await self.get(operator_id))
        await self._store.save(enrolled.operator)
        await self._desk.transaction.sessions.end_all(operator_id)
        await self._record("reset", enrolled.operator, None)
        return enrolled

    async def change_role(self, operator_id: str, role: Role) -> Operator:
        """Let an operator do more or less, from its next request on.

        Raises:
            NotFound: there is none of this id.
            StateConflict: it is the caller itself.
        """
        operator = await self._other(operator_id)
        changed = replace(operator, role=role)
        await self._store.save(changed)
        before, after = {"role": operator.role.value}, {"role": role.value}
        await self._desk.record("operator.change_role", operator_id, before, after)
        return changed

    async def disable(self, operator_id: str) -> Operator:
        """Switch an operator off, and end its sessions.

        Raises:
            NotFound: there is none of this id.
            StateConflict: it is disabled, or the caller itself.
        """
        operator = await self._other(operator_id)
        if operator.disabled_at is not None:
            raise StateConflict("this operator is disabled already")
        changed = replace(operator, disabled_at=self._desk.now)
        await self._store.save(changed)
        await self._desk.transaction.sessions.end_all(operator_id)
        await self._record("disable", changed, None)
        return changed

    async def enable(self, operator_id: str) -> Operator:
        """Switch a disabled operator on again.

        Raises:
            NotFound: there is none of this id.
            StateConflict: it is not disabled.
        """
        operator = await self.get(operator_id)
        if operator.disabled_at is None:
            raise StateConflict("this operator is not disabled")
        changed = replace(operator, disabled_at=None)
        await self._store.save(changed)
        await self._record("enable", changed, None)
        return changed

    async def sign_out(self, operator_id: str) -> int:
        """End all sessions of an operator; return how many there were.

        Raises:
            NotFound: there is none of this id.
        """
        operator = await self.get(operator_id)
        ended = await self._desk.transaction.sessions.end_all(operator_id)
        await self._record("sign_out", operator, {"sessions": ended})
        return ended

    async def password_hash(self, name: str) -> str:
        """Return what the password of an operator is compared with, by `proven_hash`.

        For an unknown name it is nobody's, so that this costs as much time.
        """
        found = await self._store.find(name)
        return _nobodys_hash() if found is None else found.password_hash

    async def require(self, name: str, proven: str | None, code: str) -> Operator:
        """Return the operator who knows its password and the present code of its app.

        Args:
            name: of the operator.
            proven: the hash that the password fits; None = it fits none. To compare takes time,
                so it is done before, outside of any transaction.
            code: 6 digits.

        Raises:
            CredentialInvalid: it is not one of them; the text tells no more.
        """
        found = await self._store.find(name)
        operator = await self._store.get("" if found is None else found.operator_id)
        if operator is None or operator.password_hash != proven or operator.disabled_at is not None:
            raise CredentialInvalid(_REFUSAL)
        signed_in = replace(self._after_code(operator, code), signed_in_at=self._desk.now)
        await self._store.save(signed_in)
        return signed_in

    async def change_password(self, operator_id: str, old: str, new: str, code: str) -> Operator:
        """Give an operator the password of its choice, and end its sessions.

        Raises:
            InvalidField: the new one is too weak.
            CredentialInvalid: the old one or the code is not right.
        """
        operator = await self.get(operator_id)
        if await proven_hash(old, operator.password_hash) is None:
            raise CredentialInvalid("the present password or the code is not right")
        weakness = password_weakness(operator.name, new)
        if weakness is not None:
            raise InvalidField(FieldError("new_password", weakness))
        changed = replace(
            self._after_code(operator, code),
            password_hash=await asyncio.to_thread(hash_password, new),
            password_changed_at=self._desk.now,
        )
        await self._store.save(changed)
        await self._desk.transaction.sessions.end_all(operator_id)
        await self._record("change_password", changed, None)
        return changed

    async def _enrolled(self, operator: Operator) -> Enrolled:
        password, secret = generate_password(), new_secret()
        sealed = self._desk.vault.sealer.seal_bytes(secret, _secret_of(operator.operator_id))
        enrolled = replace(
            operator,
            password_hash=await asyncio.to_thread(hash_password, password),
            totp_sealed=sealed,
            totp_step=0,
            password_changed_at=None,
        )
        uri = enrollment_uri(secret, operator.name)
        return Enrolled(enrolled, password, secret_text(secret), uri)

    def _after_code(self, operator: Operator, code: str) -> Operator:
        context = _secret_of(operator.operator_id)
        secret = self._desk.vault.sealer.unseal_bytes(operator.totp_sealed, context)
        digits = "".join(code.split())  # apps show the code in two groups
        step = matching_step(secret, digits, operator.totp_step, self._desk.now)
        if step is None:
            raise CredentialInvalid(_REFUSAL)
        return replace(operator, totp_step=step)

    async def _other(self, operator_id: str) -> Operator:
        if operator_id == self._desk.actor:
            raise StateConflict("nobody can do this to themselves: ask another owner")
        return await self.get(operator_id)

    async def _record(self, action: str, operator: Operator, after: State | None) -> None:
        await self._desk.record(f"operator.{action}", operator.operator_id, None, after)


async def proven_hash(password: str, password_hash: str) -> str | None:
    """Return the hash if the password fits it, else None."""
    is_right = await asyncio.to_thread(verify_password, password, password_hash)
    return password_hash if is_right else None


def _secret_of(operator_id: str) -> str:
    return f"operators.totp.{operator_id}"


@cache
def _nobodys_hash() -> str:
    return hash_password(generate_password())
