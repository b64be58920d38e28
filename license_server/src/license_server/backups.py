"""Backups: the files of a server and, if it is SQLite, its database, in one private archive.

A PostgreSQL database is backed up by its own tools (pg_dump); the archive then says so.
"""

import hashlib
import io
import json
import sqlite3
import tarfile
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final

from license_server.errors import ConfigurationError
from license_server.repository.database import Database
from license_server.secret_files import write_secret
from license_server.settings import FILE_NAME, Settings

MANIFEST: Final = "manifest.json"
DATABASE: Final = "license-server.db"
VERSION: Final = 1
MARK: Final = "last-backup"
"""File of a server's folder whose time is that of the last backup."""

_OWNER_ONLY: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700
_MAX_FILE: Final = 2**34


def back_up(settings: Settings, path: Path, now: datetime) -> Mapping[str, str]:
    """Write a backup, readable by its owner alone; return the digests of what is in it.

    Raises:
        ConfigurationError: something cannot be read, or the archive exists or cannot be written.
    """
    database = Database.from_url(settings.database_url.get_secret_value())
    try:
        contents = {name: file.read_bytes() for name, file in _files(settings).items()}
        if database.path is not None:
            contents[DATABASE] = _snapshot(database.require_file())
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        manifest = {"v": VERSION, "at": int(now.timestamp()), "files": digests}
        write_secret(path, _archive({MANIFEST: json.dumps(manifest).encode(), **contents}))
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(f"cannot back up to {path}: {error}") from error
    return digests


def note_backup(settings: Settings) -> None:
    """Keep the time of a backup, for the doctor.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    mark = settings.folder / MARK
    try:
        mark.touch(mode=_OWNER_ONLY)
    except OSError as error:
        raise ConfigurationError(f"cannot write {mark}: {error.strerror}") from error


def last_backup(settings: Settings) -> datetime | None:
    """Return when the last backup was made; None = never, as far as the folder knows."""
    try:
        return datetime.fromtimestamp((settings.folder / MARK).stat().st_mtime, UTC)
    except OSError:
        return None


def verify(path: Path) -> Mapping[str, bytes]:
    """Return what a backup holds, after comparing all of it with its manifest.

    Raises:
        ConfigurationError: it is no backup, or not whole, or its database is broken.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            contents = {
                member.name: file.read(_MAX_FILE)
                for member in archive
                if member.isfile() and (file := archive.extractfile(member)) is not None
            }
        manifest = json.loads(contents.pop(MANIFEST))
        digests = dict(manifest["files"])
    except (OSError, EOFError, tarfile.TarError, ValueError, LookupError, TypeError) as error:
        raise ConfigurationError(f"{path} is no whole backup of a server") from error
    found = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    if found != digests or any(PurePosixPath(name).name != name for name in found):
        raise ConfigurationError(f"{path} does not hold what its manifest says")
    if DATABASE in contents:
        _require_sound(path, contents[DATABASE])
    return contents


def restore(path: Path, folder: Path) -> None:
    """Make a server's folder of a backup; the folder must be missing or empty.

    Raises:
        ConfigurationError: the backup is not whole, or the folder is in use.
    """
    contents = verify(path)
    try:
        if folder.exists() and any(folder.iterdir()):
            raise ConfigurationError(f"{folder} is not empty: name a new or an empty folder")
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        folder.chmod(_PRIVATE_FOLDER)
        for name, content in contents.items():
            write_secret(folder / name, content)
    except OSError as error:
        raise ConfigurationError(f"cannot restore to {folder}: {error.strerror}") from error


def _files(settings: Settings) -> dict[str, Path]:
    """Return the files by the names that a restored folder will have."""
    files = {
        FILE_NAME: settings.folder / FILE_NAME,
        "signing.key": settings.signing_key_file,
        "peppers.json": settings.peppers_file,
        "sealing.key": settings.sealing_key_file,
        "keyset.json": settings.keyset_file,
    }
    return {name: path for name, path in files.items() if name != FILE_NAME or path.exists()}


def _snapshot(path: Path) -> bytes:
    """Return a database as of one moment, while others use it."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:
        copy = Path(folder) / DATABASE
        copy.touch(mode=_OWNER_ONLY)
        source, target = sqlite3.connect(path), sqlite3.connect(copy)
        try:
            source.backup(target)
        finally:
            source.close()
            target.close()
        return copy.read_bytes()


def _require_sound(path: Path, content: bytes) -> None:
    database = sqlite3.connect(":memory:")
    try:
        database.deserialize(content)
        [(result,)] = database.execute("PRAGMA integrity_check").fetchall()
    except (sqlite3.Error, ValueError) as error:
        raise ConfigurationError(f"the database in {path} is broken") from error
    finally:
        database.close()
    if result != "ok":
        raise ConfigurationError(f"the database in {path} is broken")


def _archive(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), _OWNER_ONLY
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
