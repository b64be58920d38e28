"""`license-server keys …`."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from license_server import keyset_drafts
from license_server.cli.key_sets import KeySetFolder
from license_server.cli.output import as_json, iso, say, show_all
from license_server.cli.target import Target, local_folder
from license_server.clock import utc_now
from license_server.errors import ConfigurationError
from license_server.key_files import load_signing_key
from license_server.keysets import KeyStatus, PublishedKey, Root
from license_server.secret_files import replace_file, write_secret
from license_server.signing import DECISION, SigningKey

_EPILOG: Final = """\b
Examples:
  license-server keys list
  license-server keys new             # 1. a new key, and a draft that lists it
  license-server keyset sign …        # 2. offline, by the roots
  license-server keyset install …     # 3. on every server; restart it
  license-server keys promote KID     # 4. on every server; restart it
  license-server keys revoke OLD-KID  # 5. only if it may be stolen; sign and install again

A key is promoted only after every server serves the key set that lists it: clients that ask one
server may meet decisions of another."""


@click.group(epilog=_EPILOG)
def keys() -> None:
    """Make, promote and revoke signing keys."""


@keys.command("list", epilog=_EPILOG)
@as_json
@click.pass_obj
def list_(target: Target, *, is_json: bool) -> None:
    """List the signing keys of the installed key set."""
    folder = KeySetFolder.of(local_folder(target))
    signing = load_signing_key(folder.settings.signing_key_file).kid
    records = [_record(key, signing) for key in folder.history.newest.content.keys]
    columns = tuple(records[0]) if records else ()
    show_all(records, columns, is_json=is_json, nothing="The key set lists no key.")


@keys.command(epilog=_EPILOG)
@click.pass_obj
def new(target: Target) -> None:
    """Make a signing key beside the present one, and a draft of a key set that lists it."""
    folder = KeySetFolder.of(local_folder(target))
    key = SigningKey.generate()
    draft = keyset_drafts.with_key(folder.draft(), Root.of(key), utc_now())
    path = _path_of(folder, key.kid)
    _write_key(path, key)
    folder.write_draft(draft)
    say(f"the new key is {path}: other servers need a copy of it, by a safe way")
    click.echo(key.kid)


@keys.command(epilog=_EPILOG)
@click.argument("kid")
@click.pass_obj
def promote(target: Target, kid: str) -> None:
    """Sign with another key of the installed key set from the next start on."""
    folder = KeySetFolder.of(local_folder(target))
    present = load_signing_key(folder.settings.signing_key_file)
    if present.kid == kid:
        say(f"{kid} signs already")
        return
    folder.history.require_signing_key(kid, DECISION)
    path = _path_of(folder, kid)
    key = load_signing_key(path)
    if key.kid != kid:
        raise ConfigurationError(f"{path} holds the key {key.kid}")
    kept = _path_of(folder, present.kid)
    if not kept.exists():
        _write_key(kept, present)
    asyncio.run(_put_in_place(folder, key, present.kid))
    path.unlink()
    listed = folder.history.newest.content.published(present.kid)
    if listed is not None and listed.status is KeyStatus.ACTIVE:
        folder.write_draft(
            keyset_drafts.with_status(folder.draft(), present.kid, KeyStatus.VERIFY_ONLY)
        )
    say(f"{kid} signs from the next start on; {present.kid} is kept in {kept}")


@keys.command(epilog=_EPILOG)
@click.argument("kid")
@click.pass_obj
def revoke(target: Target, kid: str) -> None:
    """Draft a key set in which a key is revoked: all that it signed dies with it."""
    folder = KeySetFolder.of(local_folder(target))
    folder.write_draft(keyset_drafts.with_status(folder.draft(), kid, KeyStatus.REVOKED))


@keys.command("new-root", epilog=_EPILOG)
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
def new_root(path: Path) -> None:
    """Make a root key, where it will stay: offline; its public file is for `keyset draft`."""
    key = SigningKey.generate()
    _write_key(path, key)
    public = path.with_suffix(".pub.json")
    public.write_text(f"{Root.of(key).model_dump_json()}\n", encoding="ascii")
    say(f"the public file is {public}")
    click.echo(key.kid)


async def _put_in_place(folder: KeySetFolder, key: SigningKey, before: str) -> None:
    """Record the change and make it: if either fails, neither is done."""
    from license_server.cli.local import open_desk  # noqa: PLC0415 - costs most of a start

    async with open_desk(folder.settings.folder) as desk:
        await desk.record("key.promote", "signing key", {"kid": before}, {"kid": key.kid})
        replace_file(folder.settings.signing_key_file, key.to_pem())


def _path_of(folder: KeySetFolder, kid: str) -> Path:
    return folder.settings.signing_key_file.with_name(f"signing-{kid}.key")


def _write_key(path: Path, key: SigningKey) -> None:
    try:
        write_secret(path, key.to_pem())
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error


def _record(key: PublishedKey, signing: str) -> dict[str, object]:
    begins, ends = (datetime.fromtimestamp(at, UTC) for at in (key.not_before, key.not_after))
    return {
        "kid": key.kid,
        "status": key.status.value,
        "signs_here": key.kid == signing,
        "use": list(key.use),
        "not_before": iso(begins),
        "not_after": iso(ends),
    }
