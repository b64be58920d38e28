"""`license-server license …`."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click

from license_server.admin import LicenseView
from license_server.cli import parameters
from license_server.cli.output import (
    Record,
    as_json,
    iso,
    print_json,
    print_record,
    print_table,
    say,
)
from license_server.cli.session import administer
from license_server.clock import utc_now
from license_server.emails import Email
from license_server.licenses import Change, Kind
from license_server.orders import Order

_ISSUE_EPILOG: Final = """\b
Examples:
  license-server license issue --product db-api --email ada@example.com
  license-server license issue --product db-api --email ada@example.com --for 365d
  license-server license issue --product db-api --email ada@example.com --trial --json"""

_RENEW_EPILOG: Final = """\b
Examples:
  license-server license renew lic_… --for 365d
  license-server license renew lic_… --expires 2028-01-31

Days count from the present end, or from now if that has passed."""

_LIST_EPILOG: Final = """\b
Examples:
  license-server license list
  license-server license list --product db-api --email ada@example.com --json"""

_ONE_EPILOG: Final = """\b
Examples:
  license-server license show lic_…
  license-server license suspend lic_…
  license-server license reinstate lic_…
  license-server license revoke lic_… --json

`license-server license list` shows the ids."""

_id = click.argument("license_id", metavar="LICENSE")
_length = click.option(
    "--for",
    "length",
    type=parameters.span,
    metavar="SPAN",
    help="365d, 12h …; as the product says if missing.",
)
_expires = click.option("--expires", type=parameters.date, help="End, instead of --for; UTC.")


@click.group("license", epilog=_ISSUE_EPILOG)
def license_() -> None:
    """Issue licenses and change them."""


@license_.command(epilog=_ISSUE_EPILOG)
@click.option("--product", required=True, metavar="CODE")
@click.option("--email", required=True, help="Of the owner; the key works with no other.")
@click.option("--trial", "is_trial", is_flag=True, help="Runs from its first use.")
@click.option("--starts", type=parameters.date, help="First instant, UTC; now if missing.")
@_length
@_expires
@as_json
@click.pass_obj
def issue(
    folder: Path,
    product: str,
    email: str,
    starts: datetime | None,
    length: timedelta | None,
    expires: datetime | None,
    *,
    is_trial: bool,
    is_json: bool,
) -> None:
    """Issue a license and show its key, this once."""
    _require_one_end(length, expires)
    if is_trial and expires:
        raise click.UsageError("a trial runs from its first use: give --for instead of --expires")
    kind = Kind.TRIAL if is_trial else Kind.PAID
    order = Order(product, Email.parse(email), kind, starts, length, expires)
    now = utc_now()
    issued = administer(folder, lambda admin: admin.issue_license(order, now))
    made = issued.license
    result: Record = {
        "key": issued.key,
        "license": made.license_id,
        "product": made.product,
        "email": order.email.address,
        "kind": made.kind.value,
        "expires_at": iso(made.expires_at),
    }
    if is_json:
        print_json(result)
        return
    print_record(result)
    say("The key is shown this once: the server keeps only a hash of it.")


@license_.command("list", epilog=_LIST_EPILOG)
@click.option("--product", metavar="CODE", help="Only of this product.")
@click.option("--email", help="Only of this owner.")
@as_json
@click.pass_obj
def list_(folder: Path, product: str | None, email: str | None, *, is_json: bool) -> None:
    """List licenses, oldest first."""
    owner = None if email is None else Email.parse(email)
    views = administer(folder, lambda admin: admin.list_licenses(product, owner, utc_now()))
    records = [_record(view) for view in views]
    if is_json:
        print_json(records)
    else:
        print_table([_row(record) for record in records], nothing="There is no such license.")


@license_.command(epilog=_ONE_EPILOG)
@_id
@as_json
@click.pass_obj
def show(folder: Path, license_id: str, *, is_json: bool) -> None:
    """Show a license with its owner's email."""
    view = administer(folder, lambda admin: admin.show_license(license_id, utc_now()))
    _print(view, is_json=is_json)


@license_.command(epilog=_ONE_EPILOG)
@_id
@as_json
@click.pass_obj
def suspend(folder: Path, license_id: str, *, is_json: bool) -> None:
    """Suspend a license until it is reinstated."""
    _change(folder, license_id, Change.SUSPEND, is_json=is_json)


@license_.command(epilog=_ONE_EPILOG)
@_id
@as_json
@click.pass_obj
def reinstate(folder: Path, license_id: str, *, is_json: bool) -> None:
    """Reinstate a suspended license."""
    _change(folder, license_id, Change.REINSTATE, is_json=is_json)


@license_.command(epilog=_ONE_EPILOG)
@_id
@as_json
@click.pass_obj
def revoke(folder: Path, license_id: str, *, is_json: bool) -> None:
    """Revoke a license for good."""
    _change(folder, license_id, Change.REVOKE, is_json=is_json)


@license_.command(epilog=_RENEW_EPILOG)
@_id
@_length
@_expires
@as_json
@click.pass_obj
def renew(
    folder: Path,
    license_id: str,
    length: timedelta | None,
    expires: datetime | None,
    *,
    is_json: bool,
) -> None:
    """Give a paid license a later end."""
    _require_one_end(length, expires)
    now = utc_now()
    view = administer(folder, lambda admin: admin.renew_license(license_id, expires, length, now))
    _print(view, is_json=is_json)


def _require_one_end(length: timedelta | None, expires: datetime | None) -> None:
    if length is not None and expires is not None:
        raise click.UsageError("give --for or --expires, not both")


def _change(folder: Path, license_id: str, change: Change, *, is_json: bool) -> None:
    now = utc_now()
    view = administer(folder, lambda admin: admin.change_standing(license_id, change, now))
    _print(view, is_json=is_json)


def _print(view: LicenseView, *, is_json: bool) -> None:
    if is_json:
        print_json(_record(view))
    else:
        print_record(_record(view))


def _record(view: LicenseView) -> Record:
    shown = view.license
    return {
        "license": shown.license_id,
        "product": shown.product,
        "email": view.email.address,
        "kind": shown.kind.value,
        "status": view.status.value,
        "key_hint": view.key_hint,
        "deployments": view.deployments,
        "issued_at": iso(shown.issued_at),
        "starts_at": iso(shown.starts_at),
        "expires_at": iso(shown.expires_at),
    }


def _row(record: Record) -> Record:
    names = ("license", "product", "email", "kind", "status", "key_hint", "expires_at")
    return {name: record[name] for name in names}
