"""The commands on license files, for machines that never go online."""

from pathlib import Path

import click

from license_client._codes import USABLE_STATUS
from license_client._command_edge import call, finish, json_option, read_environment
from license_client._wiring import connect
from license_client.errors import ConfigurationError

_EXAMPLES = """\b
Examples:
  license-client request -o this-machine.json   # send it to the vendor
  license-client install ada.license            # what the vendor sent back"""
_path = click.Path(path_type=Path)


@click.command(epilog=_EXAMPLES)
@click.argument("file", type=_path)
@json_option
def install(file: Path, *, as_json: bool) -> None:
    """Take in the license file FILE, for a machine that never goes online."""
    call(lambda client: client.install(file), as_json=as_json)


@click.command(epilog=_EXAMPLES)
@click.option("-o", "--output", type=_path, help="New file to write; stdout if missing.")
def request(output: Path | None) -> None:
    """Write what the vendor needs to make a license file for this machine; it holds no key."""
    finish(lambda: _write(connect(read_environment({})).request_file(), output), as_json=False)


def _write(line: str, output: Path | None) -> int:
    if output is None:
        click.echo(line)
        return USABLE_STATUS
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError as error:
        raise ConfigurationError(f"cannot write {output}: {error.strerror}") from error
    return USABLE_STATUS
