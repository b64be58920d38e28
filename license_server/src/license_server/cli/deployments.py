"""`license-server deployment …`."""

from typing import Final

import click

from license_server.cli.output import as_json, say, show, show_all
from license_server.cli.session import call, listed
from license_server.cli.target import Target

_EPILOG: Final = """\b
Examples:
  license-server deployment list lic_…
  license-server deployment list lic_… --archived --json
  license-server deployment block lic_… 0d6f2a52-6c1c-4d0e-8f0e-0123456789ab
  license-server deployment remove lic_… 0d6f2a52-6c1c-4d0e-8f0e-0123456789ab"""

_license = click.argument("license_id", metavar="LICENSE")
_instance = click.argument("instance_id", metavar="INSTANCE")


@click.group(epilog=_EPILOG)
def deployment() -> None:
    """See and block the deployments of a license."""


@deployment.command("list", epilog=_EPILOG)
@_license
@click.option("--archived", is_flag=True, help="Those too of which nothing was heard for long.")
@click.option("--limit", default=100, show_default=True, help="At most so many.")
@as_json
@click.pass_obj
def list_(target: Target, license_id: str, limit: int, *, archived: bool, is_json: bool) -> None:
    """List deployments by their first sight."""
    query = {"archived": archived}
    records = listed(target, f"licenses/{license_id}/deployments", query, limit)
    columns = ("instance_id", "name", "client_version", "first_seen_at", "last_seen_at")
    show_all(records, columns, is_json=is_json, nothing="There is no deployment.")


@deployment.command(epilog=_EPILOG)
@_license
@_instance
@as_json
@click.pass_obj
def block(target: Target, license_id: str, instance_id: str, *, is_json: bool) -> None:
    """Refuse a deployment (a courtesy control: a new instance id evades it)."""
    path = f"licenses/{license_id}/deployments/{instance_id}/block"
    show(call(target, "POST", path), is_json=is_json)


@deployment.command(epilog=_EPILOG)
@_license
@_instance
@as_json
@click.pass_obj
def unblock(target: Target, license_id: str, instance_id: str, *, is_json: bool) -> None:
    """Let a blocked deployment work again."""
    path = f"licenses/{license_id}/deployments/{instance_id}/unblock"
    show(call(target, "POST", path), is_json=is_json)


@deployment.command(epilog=_EPILOG)
@_license
@_instance
@click.pass_obj
def remove(target: Target, license_id: str, instance_id: str) -> None:
    """Forget a deployment, which frees its seat."""
    call(target, "DELETE", f"licenses/{license_id}/deployments/{instance_id}")
    say("The deployment is forgotten.")
