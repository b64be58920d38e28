"""`license-server token …`."""

from datetime import timedelta
from typing import Final

import click

from license_server.cli import parameters
from license_server.cli.output import as_json, print_json, print_record, say, show, show_all
from license_server.cli.session import call
from license_server.cli.target import Target

_EPILOG: Final = """\b
Examples:
  license-server token create --name "web shop" --role issuer --for 90d
  license-server token list
  license-server token revoke tok_…

\b
Roles:
  owner    everything
  issuer   issues licenses and runs their life
  support  looks, suspends, reinstates, replaces keys, blocks deployments
  auditor  looks, and reads the audit log"""


@click.group(epilog=_EPILOG)
def token() -> None:
    """Make and revoke admin tokens."""


@token.command(epilog=_EPILOG)
@click.option("--name", required=True, help="What its holder is called.")
@click.option("--role", required=True, type=click.Choice(["owner", "issuer", "support", "auditor"]))
@click.option(
    "--for",
    "length",
    type=parameters.span,
    default="365d",
    show_default=True,
    metavar="SPAN",
    help="Ends after.",
)
@as_json
@click.pass_obj
def create(target: Target, name: str, role: str, length: timedelta, *, is_json: bool) -> None:
    """Make a token and show it, this once."""
    body = {"name": name, "role": role, "lasts_seconds": parameters.seconds(length)}
    made = call(target, "POST", "tokens", body=body)
    if is_json:
        print_json(made)
        return
    print_record(made)
    say("The token is shown this once: the server keeps only a hash of it.")


@token.command("list", epilog=_EPILOG)
@as_json
@click.pass_obj
def list_(target: Target, *, is_json: bool) -> None:
    """List all tokens, oldest first."""
    columns = ("id", "name", "prefix", "role", "expires_at", "last_used_at", "revoked_at")
    records = call(target, "GET", "tokens")["items"]
    show_all(records, columns, is_json=is_json, nothing="There is no token.")


@token.command(epilog=_EPILOG)
@click.argument("token_id", metavar="TOKEN")
@as_json
@click.pass_obj
def revoke(target: Target, token_id: str, *, is_json: bool) -> None:
    """End a token at once."""
    show(call(target, "POST", f"tokens/{token_id}/revoke"), is_json=is_json)
