"""`db-api activate`: put a license under this machine, whether or not the service runs."""

import asyncio
import json
from collections.abc import Mapping
from typing import Final

import click

from db_api.cli.environment import environment
from db_api.cli.exits import reported
from db_api.license_gate import gate_from_environment
from db_api.license_view import LicenseView
from db_api.owner_file import Owner

_EXAMPLES = """\b
Examples:
  db-api activate --key LIC-XXXXX-… --email you@example.com
  db-api activate -k LIC-XXXXX-… -e you@example.com -s https://license.example.com
  docker exec -it shop-api db-api activate-license -k LIC-XXXXX-… -e you@example.com"""
_CONFIGURED: Final = ("LICENSE_KEY", "LICENSE_EMAIL", "LICENSE_KEY_FILE", "LICENSE_EMAIL_FILE")
_MASK_LENGTH: Final = 6


@click.command(epilog=_EXAMPLES)
@click.option("-k", "--key", required=True, help="The license key, as the mail has it.")
@click.option("-e", "--email", required=True, help="The email address of the purchase.")
@click.option("-s", "--server-url", help="The license server, instead of LICENSE_SERVER_URL.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def activate(*, key: str, email: str, server_url: str | None, as_json: bool) -> None:
    """Activate a license on this machine; `activate-license` is the same command.

    It is kept in LICENSE_CACHE_DIR: a service that runs there goes on with it within seconds, and
    so does every later start, unless LICENSE_KEY names another license that is usable.
    """
    environ = environment()
    click.echo("🔐 Activating license...", err=True)
    click.echo(f"   Key:   {_masked(key)}\n   Email: {email}\n", err=True)
    with reported():
        view = asyncio.run(_activate(environ, Owner(key, email), server_url))
    if environ.get("LICENSE_KEY", key) != key:
        click.echo("! LICENSE_KEY names another license, which every start tries first.", err=True)
    if as_json:
        click.echo(json.dumps(_shown(view)))
        return
    click.echo("✔ License activated successfully!")
    click.echo(f"  Type:    {'Trial' if view.type == 'trial' else 'Paid'} License")
    click.echo(f"  Expires: {view.expires_at or 'Never (lifetime license)'}")


async def _activate(
    environ: Mapping[str, str], owner: Owner, server_url: str | None
) -> LicenseView:
    kept = {name: value for name, value in environ.items() if name not in _CONFIGURED}
    given = {} if server_url is None else {"LICENSE_SERVER_URL": server_url}
    gate = gate_from_environment({**kept, **given})
    try:
        return await gate.activate(owner)
    finally:
        gate.close()


def _masked(key: str) -> str:
    if len(key) <= 2 * _MASK_LENGTH:
        return "…"
    return f"{key[:_MASK_LENGTH]}...{key[-4:]}"


def _shown(view: LicenseView) -> dict[str, str | bool | None]:
    return {
        "valid": view.valid,
        "status": view.status,
        "type": view.type,
        "expiresAt": view.expires_at.isoformat() if view.expires_at else None,
        "code": view.code,
    }
