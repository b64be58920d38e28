"""Operators: the vendor's people, who sign in to the console."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from license_server.tokens import Role

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
"""What an operator signs in as."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One of the vendor's people, as the database holds one.

    Attributes:
        operator_id: `opr_` and 26 symbols; the seal of the TOTP secret is bound to it.
        name: what it signs in as, unique.
        role: what it may do.
        password_hash: PHC string of Argon2id.
        totp_sealed: secret of its authenticator app.
        totp_step: newest time step whose code it used; 0 = none.
        created_at: when it was made.
        password_changed_at: when it last chose its password; None = it was made for it.
        signed_in_at: last time; None = never.
        disabled_at: when it was disabled; None = it was not.
    """

    operator_id: str
    name: str
    role: Role
    password_hash: str = field(repr=False)
    totp_sealed: bytes = field(repr=False)
    totp_step: int
    created_at: datetime
    password_changed_at: datetime | None = None
    signed_in_at: datetime | None = None
    disabled_at: datetime | None = None


class OperatorStore(Protocol):
    """Operators."""

    async def add(self, operator: Operator) -> bool:
        """Store a new operator; False = there is one of its name."""

    async def find(self, name: str) -> Operator | None:
        """Return the operator of a name."""

    async def look_up(self, operator_id: str) -> Operator | None:
        """Return the operator of an id."""

    async def get(self, operator_id: str) -> Operator | None:
        """Return the operator of an id, locked until the transaction ends."""

    async def names(self, operator_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the names of those ids that are of operators."""

    async def all(self) -> Sequence[Operator]:
        """Return all operators, by name."""

    async def save(self, operator: Operator) -> None:
        """Store a changed operator."""
