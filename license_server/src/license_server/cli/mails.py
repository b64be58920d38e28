"""`license-server mail …`."""

from typing import Final

import click

from license_server.cli.output import as_json, show, show_all
from license_server.cli.session import call, listed
from license_server.cli.target import Target

_EPILOG: Final = """\b
Examples:
  license-server mail list --state failed
  license-server mail list --license lic_…
  license-server mail resend out_…

A delivered mail cannot be sent again: what it said is erased. `license rotate-key --mail` sends a
new key."""


@click.group(epilog=_EPILOG)
def mail() -> None:
    """See how far mails have come."""


@mail.command("list", epilog=_EPILOG)
@click.option("--license", "subject", metavar="LICENSE", help="Only about this license.")
@click.option("--state", type=click.Choice(["pending", "done", "failed"]))
@click.option("--limit", default=100, show_default=True, help="At most so many.")
@as_json
@click.pass_obj
def list_(
    target: Target, subject: str | None, state: str | None, limit: int, *, is_json: bool
) -> None:
    """List mails, oldest first."""
    records = listed(target, "mails", {"subject": subject, "state": state}, limit)
    columns = ("id", "template", "subject", "state", "attempts", "created_at", "error")
    show_all(records, columns, is_json=is_json, nothing="There is no mail.")


@mail.command(epilog=_EPILOG)
@click.argument("mail_id", metavar="MAIL")
@as_json
@click.pass_obj
def resend(target: Target, mail_id: str, *, is_json: bool) -> None:
    """Try a given-up mail anew."""
    show(call(target, "POST", f"mails/{mail_id}/resend"), is_json=is_json)
