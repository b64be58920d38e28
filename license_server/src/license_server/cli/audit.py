"""`license-server audit …`."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final

import click
import httpx

from license_server.audit import AuditBroken, Entry, Head, Verifier
from license_server.checkpoint_files import read_heads
from license_server.cli.output import as_json, print_json, say, show_all
from license_server.cli.session import call, require_accepted, run
from license_server.cli.target import Target, local_folder
from license_server.errors import ConfigurationError
from license_server.key_files import load_keysets

_EPILOG: Final = """\b
Examples:
  license-server audit tail -n 50
  license-server audit export -o audit.ndjson
  license-server audit checkpoint
  license-server audit verify
  license-server audit verify audit.ndjson --against audit-checkpoints.jsonl

\b
Exit status of verify: 0 sound, 1 broken: the first bad entry is named."""

_BROKEN: Final = 1
_file = click.Path(dir_okay=False, path_type=Path)


@click.group(epilog=_EPILOG)
def audit() -> None:
    """Read and verify the log of all changes."""


@audit.command(epilog=_EPILOG)
@click.option("-n", "number", default=20, show_default=True, help="So many.")
@as_json
@click.pass_obj
def tail(target: Target, number: int, *, is_json: bool) -> None:
    """Show the newest entries; subjects are keyed hashes."""
    entries = call(target, "GET", "audit", query={"limit": number})["items"]
    columns = ("seq", "ts", "actor", "action", "before", "after")
    show_all(entries, columns, is_json=is_json, nothing="The log is empty.")


@audit.command(epilog=_EPILOG)
@click.option("-o", "--output", type=_file, help="File to write; standard output if missing.")
@click.pass_obj
def export(target: Target, output: Path | None) -> None:
    """Write the whole log, an entry a line."""
    if output is None:
        run(target, lambda client: _walk(client, sys.stdout.buffer.write))
        return
    try:
        with output.open("xb") as file:
            run(target, lambda client: _walk(client, file.write))
    except OSError as error:
        raise ConfigurationError(f"cannot write {output}: {error.strerror}") from error
    say(f"wrote {output}")


@audit.command(epilog=_EPILOG)
@click.option("-o", "--output", type=_file, help="Append it to this file instead of the settings'.")
@click.pass_obj
def checkpoint(target: Target, output: Path | None) -> None:
    """Sign what the log's head is now, and append that to a file outside of the database."""
    from license_server.cli.local import write_checkpoint  # noqa: PLC0415 - costs most of a start

    path, head = asyncio.run(write_checkpoint(local_folder(target), output))
    say(f"entry {head.seq} is on record in {path}: keep a copy of it elsewhere")


@audit.command(epilog=_EPILOG)
@click.argument("file", type=_file, required=False)
@click.option("--against", type=_file, help="Checkpoints; the server's folder has its key set.")
@click.option("--keyset", type=_file, help="Key set that signed them; the folder's if missing.")
@as_json
@click.pass_obj
def verify(
    target: Target,
    file: Path | None,
    against: Path | None,
    keyset: Path | None,
    *,
    is_json: bool,
) -> None:
    """Prove that no entry was changed, dropped or reordered, in FILE or in the database."""
    heads = _seen_heads(target, against, keyset) if against else ()
    try:
        head = _verified(target, file, Verifier.against(heads))
    except AuditBroken as broken:
        if is_json:
            print_json({"sound": False, "reason": str(broken)})
        else:
            click.echo(f"BROKEN: {broken}")
        raise click.exceptions.Exit(_BROKEN) from broken
    if is_json:
        print_json({"sound": True, "entries": head.seq, "hash": head.hash.hex()})
    else:
        click.echo(f"sound: {head.seq} entries, the last with the hash {head.hash.hex()}")


def _verified(target: Target, file: Path | None, verifier: Verifier) -> Head:
    if file is None:
        lines = _Lines(verifier)
        run(target, lambda client: _walk(client, lines.take))
        lines.finish()
        return verifier.finish()
    with click.open_file(str(file), "rb") as stream:
        for line in stream:
            verifier.add(Entry.from_line(line))
    return verifier.finish()


class _Lines:
    """Cuts parts of a stream into lines and has each verified, with a counter on a terminal.

    What is broken is told at the end: a stream of SQLite that is left half-way may end in a
    traceback of its driver's thread.
    """

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._rest = b""
        self._broken: AuditBroken | None = None
        self._is_shown = sys.stderr.isatty()

    def take(self, part: bytes) -> None:
        """Take the next part; whatever comes behind a broken line is left alone."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        self._verify(lines)
        if self._is_shown:
            click.echo(f"\r{self._verifier.head.seq} entries", nl=False, err=True)

    def finish(self) -> None:
        """Take what came behind the last line break: a stream that was cut off ends so.

        Raises:
            AuditBroken: a line was.
        """
        if self._rest:
            self._verify([self._rest])
        if self._broken is not None:
            raise self._broken

    def _verify(self, lines: Sequence[bytes]) -> None:
        if self._broken is not None:
            return
        try:
            for line in lines:
                self._verifier.add(Entry.from_line(line))
        except AuditBroken as broken:
            self._broken = broken


async def _walk(client: httpx.AsyncClient, take: Callable[[bytes], object]) -> None:
    """Hand the whole log on, part by part."""
    async with client.stream("GET", "/v1/admin/audit/export") as response:
        if not response.is_success:
            await response.aread()
        require_accepted(response)
        parts: AsyncIterator[bytes] = response.aiter_bytes()
        async for part in parts:
            take(part)


def _seen_heads(target: Target, against: Path, keyset: Path | None) -> Sequence[Head]:
    """Return what the checkpoints of a file have seen; those of a revoked key prove nothing."""
    if keyset is None:
        from license_server.settings import load_settings  # noqa: PLC0415 - costs most of a start

        keyset = load_settings(local_folder(target)).keyset_file
    seen = read_heads(against, load_keysets(keyset))
    for number, reason in seen.refusals:
        say(f"checkpoint {number} of {against} is left out: {reason}")
    if not seen.heads:
        raise ConfigurationError(f"{against} holds no checkpoint that can be believed")
    return seen.heads
