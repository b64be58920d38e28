"""The command `license-server`. Each command lives in a module that is loaded when it is called."""

from pathlib import Path

import click

from license_server._version import __version__
from license_server.cli.groups import Command, RootGroup
from license_server.cli.target import Target, admin_token

EPILOG = """\b
Examples:
  license-server init vendor --product db-api --name "Data API"
  license-server --dir vendor serve
  license-server --dir vendor license issue --product db-api --email ada@example.com
  license-server --dir vendor keyset export-trust -o trust.json

\b
Exit status: 0 done, 2 usage, 3 not found or in another state, 4 not allowed, 5 not now,
6 configuration, 78 the server does not start."""


@click.group(
    cls=RootGroup,
    commands_by_name={
        "init": Command("init:init", "Make a server: keys, database and settings in a folder."),
        "serve": Command("serve:serve", "Answer clients until a signal comes."),
        "worker": Command("worker:worker", "Send mails and events, beside servers that do not."),
        "migrate": Command("migrate:migrate", "Bring the database to this program's schema."),
        "product": Command("products:product", "Create, change and list products."),
        "license": Command("licenses:license_", "Issue licenses and change them."),
        "deployment": Command(
            "deployments:deployment", "See and block the deployments of a license."
        ),
        "owner": Command("owners:owner", "Find, export and erase owners."),
        "token": Command("tokens:token", "Make and revoke admin tokens."),
        "operator": Command("operators:operator", "Let people sign in to the console."),
        "keyset": Command("keysets:keyset", "Export what applications trust, and replace it."),
        "keys": Command("keys:keys", "Make, promote and revoke signing keys."),
        "mail": Command("mails:mail", "See how far mails have come."),
        "webhook": Command("webhooks:webhook", "Tell other programs of licenses."),
        "audit": Command("audit:audit", "Read and verify the log of all changes."),
        "stats": Command("stats:stats", "Count licenses, deployments and activations."),
        "doctor": Command("doctor:doctor", "Look the server over, and say what to mend."),
        "config": Command("config:config", "Show the settings that hold."),
        "backup": Command("backup:backup", "Back a server up, and prove that a backup is whole."),
        "restore": Command("backup:restore", "Make a server's folder of a backup."),
        "clock": Command("clock:clock", "Go on after the clock ran ahead."),
    },
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    envvar="LICENSE_SERVER_DIR",
    show_envvar=True,
    help="The server's folder, as `init` made it; the present one if not given.",
)
@click.option(
    "--server",
    metavar="URL",
    envvar="LICENSE_ADMIN_URL",
    show_envvar=True,
    help="Work on a server elsewhere, by its admin API and the token in LICENSE_ADMIN_TOKEN.",
)
@click.version_option(__version__, prog_name="license-server")
@click.pass_context
def main(context: click.Context, folder: Path, server: str | None) -> None:
    """Issue licenses and answer every check with a signed decision."""
    context.obj = Target(folder, server, admin_token() if server else None)
