"""`license-server license import` and `export`: many licenses, streamed both ways."""

import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, Any, Final

import click
import httpx

from license_server.cli.license_filters import filters_of, license_filters
from license_server.cli.output import say
from license_server.cli.session import require_accepted, run
from license_server.cli.target import Target
from license_server.errors import ConfigurationError, LicenseServerError

_IMPORT_EPILOG: Final = """\b
Examples:
  license-server license import buyers.csv --dry-run
  license-server license import buyers.csv -o keys.ndjson
  license-server license import buyers.ndjson > keys.ndjson

\b
Members of a line: product, email, kind, starts_at, expires_at, lasts_seconds, entitlements
(CSV: separated by ;), metadata (CSV: JSON text). All lines are imported, or none. An import that
broke off may be run again: within a day the same file is imported once, and gets the same keys."""

_EXPORT_EPILOG: Final = """\b
Examples:
  license-server license export -o licenses.ndjson
  license-server license export --format csv --product db-api --status active
  license-server license export --kind trial --issued-after 2027-01-01 -o trials.ndjson
  license-server license export --expires-after 2027-01-01 --expires-before 2027-02-01
  license-server license export --domain example.com --format csv -o example.csv

The filters are those of `license list`; dates are UTC, the first day counts, the last does not."""

_PART_BYTES: Final = 256 * 1024
_END_BYTES: Final = 200
"""Longer than the last line of an import."""
_ENDS: Final = {"imported", "valid"}
_file = click.Path(dir_okay=False, path_type=Path)


@click.command("import", epilog=_IMPORT_EPILOG)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=_file, help="File for the keys; standard output if missing.")
@click.option("--dry-run", is_flag=True, help="Judge the lines and change nothing.")
@click.pass_obj
def import_(target: Target, file: Path, output: Path | None, *, dry_run: bool) -> None:
    """Issue a license for each line of a CSV or NDJSON file and write the keys, this once."""
    kind = "text/csv" if file.suffix.lower() == ".csv" else "application/x-ndjson"
    headers = {"Content-Type": kind, "Idempotency-Key": f"import-{_digest(file)}"}

    def request(client: httpx.AsyncClient) -> httpx.Request:
        return client.build_request(
            "POST",
            "/v1/admin/licenses/import",
            params={"dry_run": "true"} if dry_run else None,
            content=_uploaded(file),
            headers=headers,
            timeout=httpx.Timeout(None),  # it is answered once all lines are judged
        )

    told = json.loads(_receive(target, request, output, _require_end))
    if "valid" in told:
        say(f"lines that are good: {told['valid']}")
    else:
        say(f"imported {told['imported']}")


@click.command("export", epilog=_EXPORT_EPILOG)
@click.option("-o", "--output", type=_file, help="File to write; standard output if missing.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["ndjson", "csv"]),
    default="ndjson",
    show_default=True,
)
@license_filters
@click.pass_obj
def export(target: Target, /, output: Path | None, format_: str, **filters: Any) -> None:  # noqa: ANN401 - the filters
    """Write licenses, one a line, oldest first; their keys are not kept."""
    given = {"format": format_, **filters_of(filters)}

    def request(client: httpx.AsyncClient) -> httpx.Request:
        return client.build_request("GET", "/v1/admin/licenses/export", params=given)

    _receive(target, request, output, lambda _: None)


def _receive(
    target: Target,
    request: Callable[[httpx.AsyncClient], httpx.Request],
    output: Path | None,
    require_whole: Callable[[bytes], None],
) -> bytes:
    """Write an answer to a file, which gets its name once the answer is whole; return its end."""
    if output is None:
        end = run(target, lambda client: _copy(client, request(client), sys.stdout.buffer))
        require_whole(end)
        return end
    part = output.with_name(f".{output.name}.part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            end = run(target, lambda client: _copy(client, request(client), file))
            file.flush()
            os.fsync(file.fileno())
        require_whole(end)
        part.replace(output)
    except OSError as error:
        raise ConfigurationError(f"cannot write {part}: {error.strerror}") from error
    except LicenseServerError:
        part.unlink(missing_ok=True)
        raise
    return end


async def _copy(client: httpx.AsyncClient, request: httpx.Request, file: IO[bytes]) -> bytes:
    """Write the body of an answer to a file and return its last line."""
    response = await client.send(request, stream=True)
    end = b""
    try:
        if not response.is_success:
            await response.aread()
        require_accepted(response)
        async for part in response.aiter_bytes():
            file.write(part)
            end = (end + part)[-_END_BYTES:]
    finally:
        await response.aclose()
    return end.rstrip(b"\n").rpartition(b"\n")[2]


def _require_end(end: bytes) -> None:
    try:
        is_whole = not _ENDS.isdisjoint(json.loads(end))
    except (ValueError, TypeError):
        is_whole = False
    if not is_whole:
        raise ConfigurationError(
            "the answer broke off before its last line: run the import again, within a day, for "
            "its keys"
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _uploaded(path: Path) -> AsyncIterator[bytes]:
    """Yield a file part by part, with a progress bar on a terminal."""
    with (
        path.open("rb") as file,
        click.progressbar(
            length=os.fstat(file.fileno()).st_size,
            label="upload",
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
        ) as bar,
    ):
        while part := file.read(_PART_BYTES):
            yield part
            bar.update(len(part))
