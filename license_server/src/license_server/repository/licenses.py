"""Licenses in their table."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select, text, tuple_, update

from license_server.licenses import Kind, License, Standing, Status
from license_server.repository.keys import key_values
from license_server.repository.rows import Row, Values, license_values, to_license, to_unix
from license_server.repository.statements import Rows
from license_server.repository.store import Store
from license_server.repository.tables import (
    END,
    NEVER,
    STOP,
    deployments,
    license_keys,
    licenses,
    owners,
)
from license_server.stores import (
    LicenseDetails,
    LicenseFilter,
    LicenseOrder,
    LicenseRecord,
    NewLicense,
    Position,
)


class SqlLicenses(Store):
    """The `LicenseStore`; its methods are described there."""

    async def get(self, license_id: str) -> LicenseRecord | None:
        """See `LicenseStore`."""
        is_meant = licenses.c.id == license_id
        await self._connection.execute(select(licenses.c.id).where(is_meant).with_for_update())
        row = await self._row(_records().where(is_meant))
        return None if row is None else _to_record(row)

    async def page(
        self,
        which: LicenseFilter,
        after: Position | None,
        limit: int,
        order: LicenseOrder = LicenseOrder.OLDEST,
    ) -> Sequence[LicenseRecord]:
        """See `LicenseStore`."""
        is_falling = order in {LicenseOrder.NEWEST, LicenseOrder.ENDS_LAST}
        is_by_end = order in {LicenseOrder.ENDS_FIRST, LicenseOrder.ENDS_LAST}
        keys = (END if is_by_end else licenses.c.issued_at, licenses.c.id)
        query = _records().where(*_conditions(which)).limit(limit)
        query = query.order_by(*(key.desc() if is_falling else key.asc() for key in keys))
        if after is not None:
            place, seen = tuple_(*keys), (to_unix(after.at), after.row_id)
            query = query.where(place < seen if is_falling else place > seen)
        return [_to_record(row) for row in await self._rows(query)]

    async def count(self, which: LicenseFilter, most: int) -> int:
        """See `LicenseStore`."""
        some = select(licenses.c.id).where(*_conditions(which)).limit(most)
        if which.email_indexes is not None or which.domain_indexes is not None:
            some = some.join(owners, owners.c.id == licenses.c.owner_id)
        row = await self._row(select(func.count().label("number")).select_from(some.subquery()))
        return 0 if row is None else int(row["number"])

    async def add(self, new: NewLicense) -> None:
        """See `LicenseStore`."""
        await self._add_many(licenses, [new_values(new)])
        await self._add_many(license_keys, [key_values(new.key, new.license.issued_at)])

    async def save(self, license_: License, details: LicenseDetails, owner_id: str) -> None:
        """See `LicenseStore`."""
        values = license_values(license_) | _details_values(details)
        await self._connection.execute(
            update(licenses)
            .where(licenses.c.id == license_.license_id)
            .values(values | {"owner_id": owner_id, "version": licenses.c.version + 1})
        )

    async def count_by_status(self, now: datetime) -> Mapping[tuple[str, Status], int]:
        """See `LicenseStore`."""
        status = status_at(now).label("status")
        query = select(licenses.c.product, status, func.count().label("number"))
        rows = await self._rows(query.group_by(licenses.c.product, status))
        return {(row["product"], Status(row["status"])): row["number"] for row in rows}


def _records() -> Rows:
    newest_hint = (
        select(license_keys.c.hint)
        .where(license_keys.c.license_id == licenses.c.id)
        .order_by(license_keys.c.superseded_until.is_not(None), license_keys.c.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    registered = (
        select(func.count())
        .select_from(deployments)
        .where(deployments.c.license_id == licenses.c.id, deployments.c.archived_at.is_(None))
        .scalar_subquery()
    )
    return select(
        *licenses.c,
        owners.c.email_sealed,
        newest_hint.label("key_hint"),
        registered.label("deployments"),
    ).join(owners, owners.c.id == licenses.c.owner_id)


def _conditions(which: LicenseFilter) -> Iterator[ColumnElement[bool]]:
    if which.product is not None:
        yield licenses.c.product == which.product
    if which.owner_id is not None:
        yield licenses.c.owner_id == which.owner_id
    if which.email_indexes is not None:
        yield owners.c.email_index.in_(which.email_indexes)
    if which.domain_indexes is not None:
        yield owners.c.domain_index.in_(which.domain_indexes)
    if which.key_hint is not None:
        keys = select(license_keys.c.license_id).where(license_keys.c.hint == which.key_hint)
        yield licenses.c.id.in_(keys)
    if which.kind is not None:
        yield licenses.c.kind == which.kind.value
    if which.status is not None:
        yield from _standing_as(which.status, which.now)
    if which.expires_after is not None or which.expires_before is not None:
        yield END < NEVER
    yield from _within(END, which.expires_after, which.expires_before)
    yield from _within(licenses.c.issued_at, which.issued_after, which.issued_before)


def _standing_as(status: Status, now: datetime) -> Iterator[ColumnElement[bool]]:
    """Say what `status_at` says by conditions of which each may use an index."""
    if status in {Status.SUSPENDED, Status.REVOKED}:
        yield licenses.c.standing != text("'active'")
        yield licenses.c.standing == status.value
        return
    yield licenses.c.standing == Standing.ACTIVE.value
    if status is Status.EXPIRED:
        yield to_unix(now) >= STOP
        return
    yield to_unix(now) < STOP
    is_trial = licenses.c.kind == text("'trial'")
    yield is_trial if status is Status.TRIAL else licenses.c.kind == Kind.PAID.value


def _within(
    column: ColumnElement[int], after: datetime | None, before: datetime | None
) -> Iterator[ColumnElement[bool]]:
    if after is not None:
        yield column >= to_unix(after)
    if before is not None:
        yield column < to_unix(before)


def status_at(now: datetime) -> ColumnElement[str]:
    """Say in SQL what `License.status` says."""
    return case(
        (licenses.c.standing != Standing.ACTIVE.value, licenses.c.standing),
        (to_unix(now) >= STOP, Status.EXPIRED.value),
        (licenses.c.kind == Kind.TRIAL.value, Status.TRIAL.value),
        else_=Status.ACTIVE.value,
    )


def new_values(new: NewLicense) -> Values:
    """Return the columns of a new license."""
    return license_values(new.license) | _details_values(new.details) | {"owner_id": new.owner_id}


def _details_values(details: LicenseDetails) -> Values:
    return {
        "metadata": json.dumps(dict(details.metadata), sort_keys=True),
        "notes_sealed": details.notes_sealed,
    }


def _to_record(row: Row) -> LicenseRecord:
    return LicenseRecord(
        license=to_license(row),
        details=LicenseDetails(json.loads(row["metadata"]), row["notes_sealed"]),
        owner_id=row["owner_id"],
        email_sealed=row["email_sealed"],
        key_hint=row["key_hint"],
        deployments=row["deployments"],
        version=row["version"],
    )
