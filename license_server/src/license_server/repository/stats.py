"""Counts over whole tables: three statements, whatever there is.

They read each table once and use no index of their own: one on `deployments` would have to be
written at every request of a client, for a question that is asked a few times a day.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy import func, select

from license_server.licenses import Kind, Standing, Status
from license_server.repository.licenses import status_at
from license_server.repository.rows import Row, to_instant, to_unix
from license_server.repository.statements import Rows
from license_server.repository.store import Store
from license_server.repository.tables import deployments, licenses
from license_server.stats import (
    EXPIRING_WITHIN,
    SEEN_WITHIN,
    ActivationCount,
    DeploymentCount,
    LicenseCount,
)

_DAY_SECONDS: Final = int(timedelta(days=1).total_seconds())


class SqlStats(Store):
    """The `StatsStore`; its methods are described there."""

    async def licenses(self, product: str | None, now: datetime) -> Sequence[LicenseCount]:
        """See `StatsStore`."""
        status = status_at(now).label("status")
        end = licenses.c.expires_at
        is_expiring = (
            (licenses.c.standing == Standing.ACTIVE.value)
            & (end > to_unix(now))
            & (end <= to_unix(now + EXPIRING_WITHIN))
        )
        groups = (licenses.c.product, licenses.c.kind, status)
        query = select(
            *groups,
            func.count().label("number"),
            func.count().filter(is_expiring).label("expiring"),
        ).group_by(*groups)
        return [_to_licenses(row) for row in await self._rows(_narrowed(query, product))]

    async def deployments(self, product: str | None, now: datetime) -> Sequence[DeploymentCount]:
        """See `StatsStore`."""
        groups = (licenses.c.product, deployments.c.client_name, deployments.c.client_version)
        seen = [
            func.count().filter(deployments.c.last_seen_at >= to_unix(now - length))
            for length in SEEN_WITHIN
        ]
        query = (
            select(
                *groups,
                func.count().label("number"),
                *(count.label(_seen(number)) for number, count in enumerate(seen)),
            )
            .join_from(deployments, licenses)
            .where(deployments.c.archived_at.is_(None))
            .group_by(*groups)
        )
        return [_to_deployments(row) for row in await self._rows(_narrowed(query, product))]

    async def activations(self, product: str | None, since: date) -> Sequence[ActivationCount]:
        """See `StatsStore`."""
        begin = to_unix(datetime.combine(since, time(), UTC))
        day = (deployments.c.first_seen_at // _DAY_SECONDS).label("day")
        query = (
            select(licenses.c.product, day, func.count().label("number"))
            .join_from(deployments, licenses)
            .where(
                deployments.c.first_seen_at >= begin,
                deployments.c.last_seen_at >= begin,  # follows, and there is an index
            )
            .group_by(licenses.c.product, day)
        )
        return [_to_activations(row) for row in await self._rows(_narrowed(query, product))]


def _narrowed(query: Rows, product: str | None) -> Rows:
    return query if product is None else query.where(licenses.c.product == product)


def _seen(number: int) -> str:
    return f"seen_{number}"


def _to_licenses(row: Row) -> LicenseCount:
    return LicenseCount(
        product=row["product"],
        kind=Kind(row["kind"]),
        status=Status(row["status"]),
        number=row["number"],
        expiring=row["expiring"],
    )


def _to_deployments(row: Row) -> DeploymentCount:
    return DeploymentCount(
        product=row["product"],
        client_name=row["client_name"],
        client_version=row["client_version"],
        number=row["number"],
        seen=tuple(row[_seen(number)] for number in range(len(SEEN_WITHIN))),
    )


def _to_activations(row: Row) -> ActivationCount:
    return ActivationCount(
        product=row["product"],
        day=to_instant(row["day"] * _DAY_SECONDS).date(),
        number=row["number"],
    )
