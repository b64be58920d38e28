"""Rows to values and back, the same for every driver.

Instants are whole Unix seconds in the database, spans whole seconds, lists and objects JSON text.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar

from license_server.evaluation import Found, Seat
from license_server.licenses import Kind, License, Standing
from license_server.ports import Visit
from license_server.products import Policy, Product
from license_server.repository.tables import licenses, products
from license_server.seats import Occupancy

POLICY_COLUMNS: Final = tuple(
    column.name
    for column in products.c
    if column.name not in {"code", "name", "created_at", "version"}
)
POLICY_LABEL: Final = "policy_{}"
"""Name of a policy's column beside those of a license, some of which have the same names."""

LICENSE_COLUMNS: Final = tuple(
    licenses.c[name]
    for name in (
        "id",
        "product",
        "owner_id",
        "kind",
        "standing",
        "issued_at",
        "starts_at",
        "expires_at",
        "trial_seconds",
        "renewal_grace_seconds",
        "entitlements",
    )
)
"""All that a judgment needs of a license."""

_columns_of: Final = itemgetter(*POLICY_COLUMNS)
_labels_of: Final = itemgetter(*map(POLICY_LABEL.format, POLICY_COLUMNS))

Values = dict[str, object]
_From = TypeVar("_From")
_To = TypeVar("_To")


class Row(Protocol):
    """What asyncpg, sqlite3 and SQLAlchemy have alike: columns by name."""

    def __getitem__(self, name: str, /) -> Any:  # noqa: ANN401 - a column has any type
        """Return one column."""


def to_unix(instant: datetime) -> int:
    """Return the whole Unix seconds of `instant`."""
    return int(instant.timestamp())


def to_instant(seconds: int) -> datetime:
    """Return the aware UTC instant of Unix `seconds`."""
    return datetime.fromtimestamp(seconds, UTC)


def to_found(row: Row) -> Found:
    """Return what a row of `statements.found` says."""
    return Found(
        license=to_license(row),
        policy=_policy(*_labels_of(row)),
        email_matches=bool(row["email_matches"]),
        key_superseded_until=optional(to_instant, row["superseded_until"]),
        seat=_to_seat(row),
    )


def to_license(row: Row) -> License:
    """Return the license of a row that has the columns of licenses."""
    return License(
        license_id=row["id"],
        product=row["product"],
        kind=Kind(row["kind"]),
        standing=Standing(row["standing"]),
        issued_at=to_instant(row["issued_at"]),
        starts_at=to_instant(row["starts_at"]),
        expires_at=optional(to_instant, row["expires_at"]),
        trial=optional(_to_span, row["trial_seconds"]),
        renewal_grace=_to_span(row["renewal_grace_seconds"]),
        entitlements=_entitlements(row["entitlements"]),
    )


@lru_cache(maxsize=256)  # most licenses have none of their own
def _entitlements(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def to_product(row: Row) -> Product:
    """Return the product of a row of its table."""
    return Product(code=row["code"], name=row["name"], policy=_policy(*_columns_of(row)))


@lru_cache(maxsize=256)  # products are few, and every request needs the policy of one
def _policy(*columns: Any) -> Policy:  # noqa: ANN401 - columns have any type
    row: Row = dict(zip(POLICY_COLUMNS, columns, strict=True))
    return Policy(
        key_prefix=row["key_prefix"],
        validity=optional(_to_span, row["validity_seconds"]),
        trial=_to_span(row["trial_seconds"]),
        renewal_grace=_to_span(row["renewal_grace_seconds"]),
        refresh=_to_span(row["refresh_seconds"]),
        lease=_to_span(row["lease_seconds"]),
        offline_grace=_to_span(row["offline_grace_seconds"]),
        expiring_notices=tuple(map(_to_span, json.loads(row["expiring_notices"]))),
        deployment_limit=row["deployment_limit"],
        entitlements=tuple(json.loads(row["entitlements"])),
        limits=MappingProxyType(json.loads(row["limits"])),
        minimum_client_version=row["minimum_client_version"],
        recommended_client_version=row["recommended_client_version"],
    )


def product_values(product: Product) -> Values:
    """Return the columns that a vendor sets."""
    policy = product.policy
    return {
        "code": product.code,
        "name": product.name,
        "key_prefix": policy.key_prefix,
        "validity_seconds": optional(_seconds, policy.validity),
        "trial_seconds": _seconds(policy.trial),
        "renewal_grace_seconds": _seconds(policy.renewal_grace),
        "refresh_seconds": _seconds(policy.refresh),
        "lease_seconds": _seconds(policy.lease),
        "offline_grace_seconds": _seconds(policy.offline_grace),
        "expiring_notices": json.dumps([_seconds(notice) for notice in policy.expiring_notices]),
        "deployment_limit": policy.deployment_limit,
        "entitlements": json.dumps(policy.entitlements),
        "limits": json.dumps(dict(policy.limits), sort_keys=True),
        "minimum_client_version": policy.minimum_client_version,
        "recommended_client_version": policy.recommended_client_version,
    }


def license_values(license_: License) -> Values:
    """Return the columns of a license itself."""
    return {
        "id": license_.license_id,
        "product": license_.product,
        "kind": license_.kind.value,
        "standing": license_.standing.value,
        "issued_at": to_unix(license_.issued_at),
        "starts_at": to_unix(license_.starts_at),
        "expires_at": optional(to_unix, license_.expires_at),
        "trial_seconds": optional(_seconds, license_.trial),
        "renewal_grace_seconds": _seconds(license_.renewal_grace),
        "entitlements": json.dumps(license_.entitlements),
    }


def optional(convert: Callable[[_From], _To], value: _From | None) -> _To | None:
    """Convert a value unless it is NULL."""
    return None if value is None else convert(value)


def to_occupancy(row: Row) -> Occupancy:
    """Return what a row of `statements.occupancy` says."""
    return Occupancy(
        live=row["live"],
        new=row["new"],
        oldest_new_at=optional(to_instant, row["oldest_new_at"]),
        is_registered=row["registered"] > 0,
    )


def visit_values(visit: Visit) -> Values:
    """Return the parameters that the statements know of a visit."""
    return {
        "key_mac_0": visit.key_macs[0],
        "key_mac_1": visit.key_macs[-1],
        "email_0": visit.email_indexes[0],
        "email_1": visit.email_indexes[-1],
        "product": visit.product,
        "instance_id": visit.instance_id,
        "client_name": visit.client_name,
        "client_version": visit.client_version,
        "app_version": visit.app_version,
        "deployment_name": visit.deployment_name,
        "at": to_unix(visit.at),
    }


def _to_seat(row: Row) -> Seat:
    if row["instance_id"] is None:
        return Seat.UNKNOWN
    return Seat.TAKEN if row["blocked_at"] is None else Seat.BLOCKED


def _to_span(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
