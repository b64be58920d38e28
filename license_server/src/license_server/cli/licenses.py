"""`license-server license …`."""

from datetime import datetime, timedelta
from typing import Any, Final

import click

from license_server.cli import parameters
from license_server.cli.bulk import export, import_
from license_server.cli.license_file import file
from license_server.cli.license_filters import filters_of, license_filters
from license_server.cli.output import as_json, print_json, print_record, say, show, show_all
from license_server.cli.session import Record, call, listed
from license_server.cli.target import Target

_ISSUE_EPILOG: Final = """\b
Examples:
  license-server license issue --product db-api --email ada@example.com
  license-server license issue --product db-api --email ada@example.com --for 365d --mail
  license-server license issue --product db-api --email ada@example.com --trial --json"""

_RENEW_EPILOG: Final = """\b
Examples:
  license-server license renew lic_… --for 365d
  license-server license renew lic_… --for 365d --from-now
  license-server license renew lic_… --expires 2028-01-31

Days count from the present end, or from now if that has passed."""

_LIST_EPILOG: Final = """\b
Examples:
  license-server license list
  license-server license list --product db-api --email ada@example.com --json
  license-server license list --domain example.com --status expired --limit 1000
  license-server license list --key-hint 7K2M
  license-server license list --status active --order ends-first --limit 20
  license-server license list --expires-after 2027-01-01 --expires-before 2027-02-01

Dates are UTC; the first day counts, the last does not."""

_ONE_EPILOG: Final = """\b
Examples:
  license-server license show lic_…
  license-server license history lic_…
  license-server license suspend lic_…
  license-server license rotate-key lic_… --overlap 7d --mail
  license-server license transfer lic_… --email grace@example.com
  license-server license change lic_… --entitlement sso --metadata order=2041 --notes "by phone"
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
_mail = click.option("--mail", "is_mailed", is_flag=True, help="Mail the key to its owner.")


@click.group("license", epilog=_ISSUE_EPILOG)
def license_() -> None:
    """Issue licenses and change them."""


license_.add_command(import_)
license_.add_command(export)
license_.add_command(file)


@license_.command(epilog=_ISSUE_EPILOG)
@click.option("--product", required=True, metavar="CODE")
@click.option("--email", required=True, help="Of the owner; the key works with no other.")
@click.option("--trial", "is_trial", is_flag=True, help="Runs from its first use.")
@click.option("--starts", type=parameters.date, help="First instant, UTC; now if missing.")
@_length
@_expires
@click.option("--entitlement", "entitlements", multiple=True, metavar="NAME")
@click.option("--metadata", type=parameters.pair, multiple=True, metavar="NAME=TEXT")
@_mail
@as_json
@click.pass_obj
def issue(
    target: Target,
    /,
    product: str,
    email: str,
    length: timedelta | None,
    expires: datetime | None,
    *,
    is_trial: bool,
    is_mailed: bool,
    is_json: bool,
    **others: Any,  # noqa: ANN401 - starts, entitlements, metadata
) -> None:
    """Issue a license and show its key, this once."""
    body = {
        "product": product,
        "email": email,
        "kind": "trial" if is_trial else "paid",
        "starts_at": parameters.instant(others["starts"]),
        "entitlements": list(others["entitlements"]) or None,
        "metadata": dict(others["metadata"]) or None,
        "mail_key": is_mailed,
        **_ending(length, expires),
    }
    _show_key(call(target, "POST", "licenses", body=body), is_json=is_json)


@license_.command("list", epilog=_LIST_EPILOG)
@license_filters
@click.option(
    "--order",
    type=click.Choice(["oldest", "newest", "ends-first", "ends-last"]),
    default="oldest",
    show_default=True,
    help="Those without an end count as the last to end.",
)
@click.option("--limit", default=100, show_default=True, help="At most so many.")
@as_json
@click.pass_obj
def list_(target: Target, /, order: str, limit: int, *, is_json: bool, **filters: Any) -> None:  # noqa: ANN401 - the filters
    """List licenses."""
    query = {**filters_of(filters), "order": order.replace("-", "_")}
    records = listed(target, "licenses", query, limit)
    columns = ("id", "product", "email", "kind", "status", "key_hint", "expires_at")
    show_all(records, columns, is_json=is_json, nothing="There is no such license.")
    if len(records) == limit and not is_json:
        say("There may be more: see --limit.")


@license_.command("show", epilog=_ONE_EPILOG)
@_id
@as_json
@click.pass_obj
def show_(target: Target, license_id: str, *, is_json: bool) -> None:
    """Show a license with its owner's email."""
    show(call(target, "GET", f"licenses/{license_id}"), is_json=is_json)


@license_.command(epilog=_ONE_EPILOG)
@_id
@click.option("-n", "number", default=20, show_default=True, help="So many.")
@as_json
@click.pass_obj
def history(target: Target, license_id: str, number: int, *, is_json: bool) -> None:
    """Show what happened to a license, newest first, from the audit log."""
    path, query = f"licenses/{license_id}/history", {"limit": number}
    entries = call(target, "GET", path, query=query)["items"]
    columns = ("seq", "at", "action", "actor", "actor_name", "after")
    show_all(entries, columns, is_json=is_json, nothing="The log holds nothing of it.")


@license_.command(epilog=_ONE_EPILOG)
@_id
@as_json
@click.pass_obj
def suspend(target: Target, license_id: str, *, is_json: bool) -> None:
    """Suspend a license until it is reinstated."""
    _do(target, license_id, "suspend", {}, is_json=is_json)


@license_.command(epilog=_ONE_EPILOG)
@_id
@as_json
@click.pass_obj
def reinstate(target: Target, license_id: str, *, is_json: bool) -> None:
    """Reinstate a suspended license."""
    _do(target, license_id, "reinstate", {}, is_json=is_json)


@license_.command(epilog=_ONE_EPILOG)
@_id
@as_json
@click.pass_obj
def revoke(target: Target, license_id: str, *, is_json: bool) -> None:
    """Revoke a license for good."""
    _do(target, license_id, "revoke", {}, is_json=is_json)


@license_.command(epilog=_RENEW_EPILOG)
@_id
@_length
@_expires
@click.option("--from-now", is_flag=True, help="Count --for from now.")
@as_json
@click.pass_obj
def renew(
    target: Target,
    license_id: str,
    length: timedelta | None,
    expires: datetime | None,
    *,
    from_now: bool,
    is_json: bool,
) -> None:
    """Give a paid license a later end."""
    body = {**_ending(length, expires), "from_now": from_now}
    _do(target, license_id, "renew", body, is_json=is_json)


@license_.command(epilog=_RENEW_EPILOG)
@_id
@_length
@_expires
@as_json
@click.pass_obj
def convert(
    target: Target,
    license_id: str,
    length: timedelta | None,
    expires: datetime | None,
    *,
    is_json: bool,
) -> None:
    """Make a trial a paid license; it keeps its key and its history."""
    _do(target, license_id, "convert", _ending(length, expires), is_json=is_json)


@license_.command(epilog=_ONE_EPILOG)
@_id
@click.option("--email", required=True, help="Of the new owner.")
@_mail
@as_json
@click.pass_obj
def transfer(
    target: Target, license_id: str, email: str, *, is_mailed: bool, is_json: bool
) -> None:
    """Give a license to another owner: the old key dies at once, the new one is shown."""
    body = {"email": email, "mail_key": is_mailed}
    _show_key(call(target, "POST", f"licenses/{license_id}/transfer", body=body), is_json=is_json)


@license_.command("rotate-key", epilog=_ONE_EPILOG)
@_id
@click.option(
    "--overlap",
    type=parameters.span,
    default="7d",
    show_default=True,
    metavar="SPAN",
    help="So long the old key goes on; 0s ends it at once.",
)
@_mail
@as_json
@click.pass_obj
def rotate_key(
    target: Target, license_id: str, overlap: timedelta, *, is_mailed: bool, is_json: bool
) -> None:
    """Replace the key, which also is how to send one again: keys are not kept."""
    body = {"overlap_seconds": parameters.seconds(overlap), "mail_key": is_mailed}
    path = f"licenses/{license_id}/rotate-key"
    _show_key(call(target, "POST", path, body=body), is_json=is_json)


@license_.command(epilog=_ONE_EPILOG)
@_id
@click.option(
    "--entitlement", "entitlements", multiple=True, metavar="NAME", help="All of them; '' = none."
)
@click.option(
    "--metadata", type=parameters.pair, multiple=True, metavar="NAME=TEXT", help="All of it."
)
@click.option("--notes", help="Free text; '' = none.")
@as_json
@click.pass_obj
def change(
    target: Target,
    license_id: str,
    entitlements: tuple[str, ...],
    metadata: tuple[tuple[str, str], ...],
    notes: str | None,
    *,
    is_json: bool,
) -> None:
    """Change what a license grants beside its product, or what you keep with it."""
    body = {
        "entitlements": [name for name in entitlements if name] if entitlements else None,
        "metadata": dict(metadata) or None,
        "notes": notes,
    }
    show(call(target, "PATCH", f"licenses/{license_id}", body=body), is_json=is_json)


def _ending(length: timedelta | None, expires: datetime | None) -> Record:
    if length is not None and expires is not None:
        raise click.UsageError("give --for or --expires, not both")
    return {
        "lasts_seconds": parameters.seconds(length),
        "expires_at": parameters.instant(expires),
    }


def _do(target: Target, license_id: str, verb: str, body: Record, *, is_json: bool) -> None:
    show(call(target, "POST", f"licenses/{license_id}/{verb}", body=body), is_json=is_json)


def _show_key(made: Record, *, is_json: bool) -> None:
    if is_json:
        print_json(made)
        return
    names = ("key", "id", "product", "email", "kind", "expires_at")
    print_record({name: made[name] for name in names})
    say("The key is shown this once: the server keeps only a hash of it.")
