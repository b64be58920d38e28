"""`license-server operator …`."""

import sys
from typing import Any, Final

import click
import segno

from license_server.cli.output import as_json, print_json, print_record, say, show, show_all
from license_server.cli.session import call
from license_server.cli.target import Target
from license_server.errors import NotFound

_EPILOG: Final = """\b
Examples:
  license-server operator add ada --role owner
  license-server operator list
  license-server operator reset ada
  license-server operator disable ada

\b
The console is where the log of `serve` says that the listener admin is. Roles are those of tokens:
owner, issuer, support, auditor."""

_roles: Final = click.Choice(["owner", "issuer", "support", "auditor"])


@click.group(epilog=_EPILOG)
def operator() -> None:
    """Let people sign in to the console."""


@operator.command(epilog=_EPILOG)
@click.argument("name")
@click.option("--role", required=True, type=_roles)
@as_json
@click.pass_obj
def add(target: Target, name: str, role: str, *, is_json: bool) -> None:
    """Make an operator; show its password and the secret of its authenticator app, this once."""
    made = call(target, "POST", "operators", body={"name": name, "role": role})
    _show_enrolled(made, is_json=is_json)


@operator.command("list", epilog=_EPILOG)
@as_json
@click.pass_obj
def list_(target: Target, *, is_json: bool) -> None:
    """List all operators, by name."""
    columns = ("id", "name", "role", "created_at", "signed_in_at", "disabled_at")
    show_all(_all(target), columns, is_json=is_json, nothing="There is no operator.")


@operator.command(epilog=_EPILOG)
@click.argument("name")
@click.option("--role", required=True, type=_roles)
@as_json
@click.pass_obj
def change(target: Target, name: str, role: str, *, is_json: bool) -> None:
    """Give an operator another role, from its next request on."""
    path = f"operators/{_id_of(target, name)}"
    show(call(target, "PATCH", path, body={"role": role}), is_json=is_json)


@operator.command(epilog=_EPILOG)
@click.argument("name")
@as_json
@click.pass_obj
def reset(target: Target, name: str, *, is_json: bool) -> None:
    """Make a new password and secret for an operator, and sign it out."""
    made = call(target, "POST", f"operators/{_id_of(target, name)}/reset")
    _show_enrolled(made, is_json=is_json)


@operator.command(epilog=_EPILOG)
@click.argument("name")
@as_json
@click.pass_obj
def disable(target: Target, name: str, *, is_json: bool) -> None:
    """Switch an operator off, and sign it out."""
    show(call(target, "POST", f"operators/{_id_of(target, name)}/disable"), is_json=is_json)


@operator.command(epilog=_EPILOG)
@click.argument("name")
@as_json
@click.pass_obj
def enable(target: Target, name: str, *, is_json: bool) -> None:
    """Switch a disabled operator on again."""
    show(call(target, "POST", f"operators/{_id_of(target, name)}/enable"), is_json=is_json)


@operator.command("sign-out", epilog=_EPILOG)
@click.argument("name")
@as_json
@click.pass_obj
def sign_out(target: Target, name: str, *, is_json: bool) -> None:
    """End all sessions of an operator."""
    show(call(target, "POST", f"operators/{_id_of(target, name)}/sign-out"), is_json=is_json)


def _all(target: Target) -> list[dict[str, Any]]:
    operators: list[dict[str, Any]] = call(target, "GET", "operators")["items"]
    return operators


def _id_of(target: Target, name: str) -> str:
    for one in _all(target):
        if one["name"] == name:
            operator_id: str = one["id"]
            return operator_id
    raise NotFound("there is no operator of this name")


def _show_enrolled(made: dict[str, Any], *, is_json: bool) -> None:
    if is_json:
        print_json(made)
        return
    print_record(made)
    if sys.stderr.isatty():
        segno.make_qr(made["totp_uri"]).terminal(sys.stderr, compact=True)
    say(
        "These are shown this once. Scan the code, or type totp_secret, into an authenticator app, "
        "and choose another password at the first sign-in."
    )
