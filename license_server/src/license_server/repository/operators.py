"""Operators in their table."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select, update

from license_server.operators import Operator
from license_server.repository.rows import Row, Values, optional, to_instant, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import operators
from license_server.tokens import Role


class SqlOperators(Store):
    """The `OperatorStore`; its methods are described there."""

    async def add(self, operator: Operator) -> bool:
        """See `OperatorStore`."""
        return await self._add_unless_there(operators, _values(operator))

    async def find(self, name: str) -> Operator | None:
        """See `OperatorStore`."""
        row = await self._row(select(operators).where(operators.c.name == name))
        return None if row is None else _to_operator(row)

    async def look_up(self, operator_id: str) -> Operator | None:
        """See `OperatorStore`."""
        row = await self._row(select(operators).where(operators.c.id == operator_id))
        return None if row is None else _to_operator(row)

    async def get(self, operator_id: str) -> Operator | None:
        """See `OperatorStore`."""
        is_meant = operators.c.id == operator_id
        row = await self._row(select(operators).where(is_meant).with_for_update())
        return None if row is None else _to_operator(row)

    async def names(self, operator_ids: Sequence[str]) -> Mapping[str, str]:
        """See `OperatorStore`."""
        query = select(operators.c.id, operators.c.name).where(operators.c.id.in_(operator_ids))
        return {row["id"]: row["name"] for row in await self._rows(query)}

    async def all(self) -> Sequence[Operator]:
        """See `OperatorStore`."""
        return [_to_operator(row) for row in await self._rows(select(operators).order_by("name"))]

    async def save(self, operator: Operator) -> None:
        """See `OperatorStore`."""
        is_meant = operators.c.id == operator.operator_id
        await self._connection.execute(update(operators).where(is_meant).values(_values(operator)))


def _values(operator: Operator) -> Values:
    return {
        "id": operator.operator_id,
        "name": operator.name,
        "role": operator.role.value,
        "password_hash": operator.password_hash,
        "totp_sealed": operator.totp_sealed,
        "totp_step": operator.totp_step,
        "created_at": to_unix(operator.created_at),
        "password_changed_at": optional(to_unix, operator.password_changed_at),
        "signed_in_at": optional(to_unix, operator.signed_in_at),
        "disabled_at": optional(to_unix, operator.disabled_at),
    }


def _to_operator(row: Row) -> Operator:
    return Operator(
        operator_id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        password_hash=row["password_hash"],
        totp_sealed=row["totp_sealed"],
        totp_step=row["totp_step"],
        created_at=to_instant(row["created_at"]),
        password_changed_at=optional(to_instant, row["password_changed_at"]),
        signed_in_at=optional(to_instant, row["signed_in_at"]),
        disabled_at=optional(to_instant, row["disabled_at"]),
    )
