"""The statements that requests of clients need, in SQLAlchemy Core, for both databases.

Each is compiled once (`compiled`), so parameters are named here and bound later.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Delete,
    FromClause,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from license_server.repository.rows import LICENSE_COLUMNS, POLICY_COLUMNS, POLICY_LABEL
from license_server.repository.tables import (
    deployments,
    license_keys,
    licenses,
    owners,
    products,
    server_state,
)

Upsert = TypeVar("Upsert", postgresql.Insert, sqlite.Insert)
Rows = Select[*tuple[object, ...]]
"""A query, whatever its columns."""


def named() -> Rows:
    """Look a key up: its license, and whether the email is the owner's.

    Parameters: `key_mac_0`, `key_mac_1`, `email_0`, `email_1`.
    """
    return (
        select(
            *LICENSE_COLUMNS,
            _is_presented(owners.c.email_index, "email").label("email_matches"),
            license_keys.c.superseded_until,
        )
        .select_from(license_keys)
        .join(licenses, licenses.c.id == license_keys.c.license_id)
        .join(owners, owners.c.id == licenses.c.owner_id)
        .where(_is_presented(license_keys.c.mac, "key_mac"))
    )


def found() -> Rows:
    """`named`, with all else that a judgment needs: the policy, and how the deployment stands.

    Parameter besides: `instance_id`.
    """
    return (
        named()
        .add_columns(
            *(products.c[name].label(POLICY_LABEL.format(name)) for name in POLICY_COLUMNS),
            deployments.c.instance_id,
            deployments.c.blocked_at,
        )
        .join(products, products.c.code == licenses.c.product)
        .outerjoin(deployments, _is_visitor(licenses.c.id))
    )


def mark_seen(row: FromClause) -> Update:
    """Mark the visiting deployment as seen, if the license in `row` is sound and rightly named.

    Parameters: those of the visit (`_sighting`), `product`, `instance_id`, `at`.

    Args:
        row: `named()` or `found()`, as a subquery or CTE.
    """
    return (
        update(deployments)
        .values(**_sighting())
        .where(
            _is_visitor(row.c.id),
            row.c.email_matches,
            row.c.standing == "active",
            row.c.product == bindparam("product"),
            deployments.c.blocked_at.is_(None),
            or_(row.c.superseded_until.is_(None), row.c.superseded_until > bindparam("at")),
        )
    )


def found_and_marked() -> Rows:
    """`found` and `mark_seen` in one statement, where a CTE may write (PostgreSQL)."""
    row = found().cte("found")
    seen = mark_seen(row).returning(deployments.c.instance_id).cte("seen")
    return select(row).add_cte(seen)


def lock_license() -> Rows:
    """Make other registrations under the license wait. Parameter: `license_id`."""
    return select(licenses.c.id).where(licenses.c.id == bindparam("license_id")).with_for_update()


def occupancy() -> Rows:
    """Count the deployments of a license. Parameters: `license_id`, `instance_id`, `hour_ago`."""
    is_new = deployments.c.first_seen_at > bindparam("hour_ago")
    is_visitor = deployments.c.instance_id == bindparam("instance_id")
    return select(
        func.count().label("live"),
        func.count().filter(is_new).label("new"),
        func.min(case((is_new, deployments.c.first_seen_at))).label("oldest_new_at"),
        func.count().filter(is_visitor).label("registered"),
    ).where(
        deployments.c.license_id == bindparam("license_id"), deployments.c.archived_at.is_(None)
    )


def register(upsert: Callable[[Table], Upsert]) -> Upsert:
    """Add the visiting deployment, or take it back from the archive.

    Parameters: `license_id` and those of the visit.

    Args:
        upsert: the `insert` of a dialect.
    """
    statement = upsert(deployments).values(
        license_id=bindparam("license_id"),
        instance_id=bindparam("instance_id"),
        first_seen_at=bindparam("at"),
        **_sighting(),
    )
    seen_again = {name: statement.excluded[name] for name in _sighting()}
    return statement.on_conflict_do_update(
        index_elements=["license_id", "instance_id"],
        set_={**seen_again, "archived_at": null()},
    )


def forget() -> Delete:
    """Drop a deployment that is not blocked. Parameters: `license_id`, `instance_id`."""
    return delete(deployments).where(
        _is_visitor(bindparam("license_id")), deployments.c.blocked_at.is_(None)
    )


def advance_newest_time() -> Update:
    """Raise the newest time to `at`, if it is later, and return it."""
    at: BindParameter[int] = bindparam("at")
    newest = case((server_state.c.newest_at < at, at), else_=server_state.c.newest_at)
    return update(server_state).values(newest_at=newest).returning(server_state.c.newest_at)


def _is_presented(column: Column[bytes], name: str) -> ColumnElement[bool]:
    return column.in_([bindparam(f"{name}_0"), bindparam(f"{name}_1")])


def _is_visitor(license_id: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(
        deployments.c.license_id == license_id,
        deployments.c.instance_id == bindparam("instance_id"),
        deployments.c.archived_at.is_(None),
    )


def _sighting() -> dict[str, BindParameter[object]]:
    return {
        "last_seen_at": bindparam("at"),
        "client_name": bindparam("client_name"),
        "client_version": bindparam("client_version"),
        "app_version": bindparam("app_version"),
        "name": bindparam("deployment_name"),
    }
