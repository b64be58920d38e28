"""`license-server license file`: a license for machines that never go online."""

from datetime import timedelta
from typing import BinaryIO, Final, TextIO

import click

from license_server.cli import parameters
from license_server.cli.file_request import MAX_BYTES, FileRequest, read_file_request
from license_server.cli.output import say
from license_server.cli.session import call, listed
from license_server.cli.target import Target
from license_server.errors import NotFound

_EPILOG: Final = """\b
Examples:
  license-server license file lic_… --for 90d -o ada.license < key.txt
  license-server license file lic_… --key-file key.txt --instance 0d6f2a52-…
  license-server license file --request their-machine.json --for 90d -o ada.license"""


@click.command(epilog=_EPILOG)
@click.argument("license_id", metavar="[LICENSE]", required=False)
@click.option(
    "--request",
    type=click.File("rb"),
    help="What `license-client request` wrote: finds the license, and is for that machine.",
)
@click.option("--key-file", type=click.File(), default="-", help="Holds the key; '-' = stdin.")
@click.option("--instance", metavar="ID", help="The one machine that it is for; any if missing.")
@click.option(
    "--for", "length", type=parameters.span, default="365d", show_default=True, metavar="SPAN"
)
@click.option(
    "-o", "--output", type=click.File("x", lazy=True), help="New file to write; stdout if missing."
)
@click.pass_obj
def file(
    target: Target,
    license_id: str | None,
    request: BinaryIO | None,
    key_file: TextIO,
    instance: str | None,
    length: timedelta,
    output: TextIO | None,
) -> None:
    """Issue a license file for machines that never go online; it cannot be recalled."""
    if request is not None:
        if instance is not None:
            raise click.UsageError("give --request or --instance, not both")
        asked = read_file_request(request.read(MAX_BYTES + 1))
        license_id, instance = license_id or _license_of(target, asked), asked.instance_id
    if license_id is None:
        raise click.UsageError("give LICENSE or --request")
    if key_file.isatty():
        say("Type the license key: the server keeps none.")
    body = {
        "license_key": key_file.readline().strip(),
        "instance_id": instance,
        "lasts_seconds": parameters.seconds(length),
    }
    made = call(target, "POST", f"licenses/{license_id}/file", body=body)
    click.echo(made["file"], nl=False, file=output)


def _license_of(target: Target, asked: FileRequest) -> str:
    """Return the id of the one license that a request can be about."""
    query = {"product": asked.product, "email": asked.email, "key_hint": asked.key_hint}
    found = listed(target, "licenses", query, 2)
    if len(found) != 1:
        number = "no" if not found else "more than one"
        raise NotFound(
            f"{number} license of {asked.product} has a key that ends with {asked.key_hint} and "
            "this owner: name the LICENSE"
        )
    license_id: str = found[0]["id"]
    return license_id
