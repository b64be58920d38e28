"""`license-server keyset …`."""

import asyncio
import json
from pathlib import Path
from typing import Final

import click

from license_server import keyset_drafts
from license_server.admin.server import record_keyset
from license_server.cli.key_sets import KeySetFolder, read_signed_or_draft
from license_server.cli.output import as_json, say, show
from license_server.cli.target import Target, local_folder
from license_server.errors import ConfigurationError
from license_server.key_files import load_keysets
from license_server.keyset_history import KeySetHistory
from license_server.keysets import KeySet, Root
from license_server.secret_files import read_secret, replace_file
from license_server.settings import load_settings
from license_server.signing import SigningKey

EPILOG: Final = """\b
Examples:
  license-server keyset export-trust -o trust.json
  license-server keyset sign keyset-draft.json --root root.key -o keyset-2.json
  license-server keyset install keyset-2.json
  license-server keyset draft --add-root new-root.pub.json --threshold 2
  license-server keyset show

trust.json holds public keys only. Ship it inside the application: its clients believe no server
whose key set these roots have not signed. `keyset sign` needs neither folder nor database: it runs
where a root key is, once for each of them."""

_path = click.Path(dir_okay=False, path_type=Path)


@click.group(epilog=EPILOG)
def keyset() -> None:
    """Export what applications trust, and replace it."""


@keyset.command("export-trust", epilog=EPILOG)
@click.option("-o", "--output", type=_path, help="File to write; standard output if missing.")
@click.pass_obj
def export_trust(target: Target, output: Path | None) -> None:
    """Write trust.json: the newest key set, signed by the roots."""
    newest = load_keysets(load_settings(local_folder(target)).keyset_file).newest
    text = json.dumps(newest.document())
    if output is None:
        click.echo(text)
        return
    _write(output, text)
    say(f"wrote {output}: key set {newest.content.epoch} of {newest.content.iss}")


@keyset.command("show", epilog=EPILOG)
@as_json
@click.pass_obj
def show_(target: Target, *, is_json: bool) -> None:
    """Show the installed key set."""
    newest = load_keysets(load_settings(local_folder(target)).keyset_file).newest.content
    show(_record(newest), is_json=is_json)


@keyset.command(epilog=EPILOG)
@click.option("--add-root", "added", type=_path, multiple=True, help="Its public file.")
@click.option("--remove-root", "removed", multiple=True, metavar="KID")
@click.option("--threshold", type=int, help="So many roots have to sign from then on.")
@click.pass_obj
def draft(
    target: Target, added: tuple[Path, ...], removed: tuple[str, ...], threshold: int | None
) -> None:
    """Draft the next key set: with a new life, or with other roots."""
    folder = KeySetFolder.of(local_folder(target))
    roots = tuple(_read_root(path) for path in added)
    folder.write_draft(
        keyset_drafts.with_roots(folder.draft(), roots, frozenset(removed), threshold)
    )


@keyset.command(epilog=EPILOG)
@click.argument("file", type=_path)
@click.option("--root", "roots", type=_path, multiple=True, required=True, help="A root key.")
@click.option("-o", "--output", type=_path, required=True, help="File to write.")
def sign(file: Path, roots: tuple[Path, ...], output: Path) -> None:
    """Sign a draft, or add a signature to what others have signed; runs offline."""
    signed = read_signed_or_draft(file)
    for path in roots:
        signed = signed.signed_too(SigningKey.from_pem(read_secret(path, "the root key")))
    _write(output, json.dumps(signed.document()))
    content = signed.content
    say(f"wrote {output}: key set {content.epoch} with {len(signed.signatures)} signatures")


@keyset.command(epilog=EPILOG)
@click.argument("file", type=_path)
@click.pass_obj
def install(target: Target, file: Path) -> None:
    """Take a signed key set, if every client would; then restart the server."""
    folder = KeySetFolder.of(local_folder(target))
    signed = read_signed_or_draft(file)
    newest = folder.history.newest
    if signed.payload == newest.payload:
        say(f"key set {newest.content.epoch} is installed already")
        return
    if signed.content.epoch <= newest.content.epoch:
        raise ConfigurationError(
            f"key set {signed.content.epoch} is older than the installed {newest.content.epoch}"
        )
    history = KeySetHistory([*folder.history.sets, signed])
    asyncio.run(_install(folder, history))
    folder.draft_path.unlink(missing_ok=True)
    say(f"key set {signed.content.epoch} is installed: restart the server")


async def _install(folder: KeySetFolder, history: KeySetHistory) -> None:
    """Record the key set and put it in place: if either fails, neither is done."""
    from license_server.cli.local import open_desk  # noqa: PLC0415 - costs most of a start

    newest = history.newest.content
    async with open_desk(folder.settings.folder) as desk:
        await record_keyset(desk, newest.iss, newest.epoch)
        replace_file(folder.settings.keyset_file, history.to_json().encode("ascii"))


def _read_root(path: Path) -> Root:
    try:
        return Root.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} is no public file of `keys new-root`") from error


def _record(content: KeySet) -> dict[str, object]:
    return {
        "server_id": content.iss,
        "epoch": content.epoch,
        "threshold": content.threshold,
        "roots": [root.kid for root in content.roots],
        "keys": [f"{key.kid} ({key.status})" for key in content.keys],
    }


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(f"{text}\n", encoding="ascii")
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error
