"""`license-server owner …`."""

from typing import Final

import click

from license_server.cli.output import as_json, print_json, show
from license_server.cli.session import call
from license_server.cli.target import Target

_EPILOG: Final = """\b
Examples:
  license-server owner find --email ada@example.com
  license-server owner export own_… > ada.json
  license-server owner erase own_…"""

_id = click.argument("owner_id", metavar="OWNER")


@click.group(epilog=_EPILOG)
def owner() -> None:
    """Find, export and erase owners."""


@owner.command(epilog=_EPILOG)
@click.option("--email", required=True)
@as_json
@click.pass_obj
def find(target: Target, email: str, *, is_json: bool) -> None:
    """Find an owner by email."""
    show(call(target, "GET", "owners", query={"email": email}), is_json=is_json)


@owner.command(epilog=_EPILOG)
@_id
@click.pass_obj
def export(target: Target, owner_id: str) -> None:
    """Print all that is known of a person, as JSON."""
    print_json(call(target, "GET", f"owners/{owner_id}/export"))


@owner.command(epilog=_EPILOG)
@_id
@click.confirmation_option(prompt="The email goes for good, and the licenses are revoked. Go on?")
@as_json
@click.pass_obj
def erase(target: Target, owner_id: str, *, is_json: bool) -> None:
    """Forget a person: the email goes, the licenses are revoked, the audit log stays."""
    show(call(target, "POST", f"owners/{owner_id}/erase"), is_json=is_json)
