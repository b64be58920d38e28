"""Making a new server: keys, peppers, key set, database and settings, in a folder of its own.

The order matters for safety:

1. A folder that holds anything is refused, and so is a database that is in use.
2. Everything is made in a hidden folder inside; a failure removes it and leaves nothing.
3. The files move to their places by renames.
"""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from license_server.admin.products import Products
from license_server.admin.server import record_keyset
from license_server.admin.tokens import Tokens
from license_server.audit import ACTOR_CLI
from license_server.desk import Desk, Vault
from license_server.errors import ConfigurationError
from license_server.key_files import ROOT_KEY
from license_server.keyset_drafts import KEY_SET_LIFETIME, published
from license_server.keyset_history import KeySetHistory
from license_server.keysets import VERSION, KeySet, Root, SignedKeySet
from license_server.products import Product
from license_server.repository.database import Database
from license_server.repository.migration import upgrade
from license_server.repository.schema import require_unused
from license_server.repository.transaction import SqlRepository
from license_server.sealing import SECRET_BYTES, Pepper, Peppers, Sealer
from license_server.secret_files import write_secret
from license_server.settings import FILE_NAME as SETTINGS
from license_server.signing import SigningKey
from license_server.tokens import LIFETIME, Role

SIGNING_KEY: Final = "signing.key"
KEYSET: Final = "keyset.json"
PEPPERS: Final = "peppers.json"
SEALING_KEY: Final = "sealing.key"
DATABASE: Final = "license-server.db"

FIRST_EPOCH: Final = 1
_ISSUER_BYTES: Final = 8
_PRIVATE_FOLDER: Final = 0o700

_SETTINGS_TEXT: Final = """\
# Settings of this license server. A variable of the environment of the same name comes first.
# Relative paths start at this folder.

HOST=127.0.0.1
PORT=3002

# Beyond loopback only HTTPS is served:
#TLS_CERT_FILE=cert.pem
#TLS_KEY_FILE=key.pem

# Without it: license-server.db in this folder. It holds a password: DATABASE_URL_FILE hides it.
#DATABASE_URL=postgresql://user:password@host/name
"""


@dataclass(frozen=True, slots=True)
class NewServer:
    """What `init` made.

    Attributes:
        path: the folder.
        issuer: id of the server.
        token: the operator's admin token, shown this once.
    """

    path: Path
    issuer: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Secrets:
    root: SigningKey
    signing: SigningKey
    peppers: Peppers
    sealing: bytes = field(repr=False)


async def initialize(
    path: Path, product: Product | None, database_url: str | None, now: datetime
) -> NewServer:
    """Make a server.

    Args:
        path: its folder, missing or empty.
        product: its first product.
        database_url: of an unused database; None = a SQLite file in the folder.
        now: the time.

    Raises:
        ConfigurationError: the folder or the database is in use, or cannot be written.
        InvalidField: the product is none that anybody could live with.
        NotReady: the database does not answer.
    """
    made = _Secrets(
        root=SigningKey.generate(),
        signing=SigningKey.generate(),
        peppers=Peppers((Pepper.generate("p1"),)),
        sealing=secrets.token_bytes(SECRET_BYTES),
    )
    issuer = f"ls_{secrets.token_hex(_ISSUER_BYTES)}"
    with _new_folder(path) as staging:
        _write_files(staging, made, _first_key_set(made, issuer, now))
        database = _database(staging, database_url)
        await require_unused(database)
        await upgrade(database)
        token = await _fill(database, made, issuer, product, now)
    return NewServer(path, issuer, token)


def _first_key_set(made: _Secrets, issuer: str, now: datetime) -> SignedKeySet:
    content = KeySet(
        v=VERSION,
        iss=issuer,
        epoch=FIRST_EPOCH,
        issued=_unix(now),
        expires=_unix(now + KEY_SET_LIFETIME),
        threshold=1,
        roots=(Root.of(made.root),),
        keys=(published(Root.of(made.signing), now),),
    )
    return SignedKeySet.sign(content, [made.root])


def _write_files(folder: Path, made: _Secrets, key_set: SignedKeySet) -> None:
    contents = {
        ROOT_KEY: made.root.to_pem(),
        SIGNING_KEY: made.signing.to_pem(),
        KEYSET: KeySetHistory([key_set]).to_json().encode("ascii"),
        PEPPERS: made.peppers.to_json().encode("ascii"),
        SEALING_KEY: f"{made.sealing.hex()}\n".encode("ascii"),
        SETTINGS: _SETTINGS_TEXT.encode("ascii"),
    }
    for name, content in contents.items():
        write_secret(folder / name, content)


def _database(folder: Path, url: str | None) -> Database:
    if url is not None:
        return Database.from_url(url)
    database = Database.of_file(folder / DATABASE)
    database.create_missing_file()
    return database


async def _fill(
    database: Database, made: _Secrets, issuer: str, product: Product | None, now: datetime
) -> str:
    vault = Vault(made.peppers, Sealer(made.sealing))
    async with SqlRepository(database).transaction() as transaction:
        desk = Desk(transaction, vault, ACTOR_CLI, now)
        await record_keyset(desk, issuer, FIRST_EPOCH)
        if product is not None:
            await Products(desk).create(product)
        return (await Tokens(desk).create("init", Role.OWNER, LIFETIME)).text


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """Give a hidden folder inside `path`, and move what was made there into place at the end."""
    staging = path / ".init"
    try:
        is_new = _make_staging(staging)
        try:
            yield staging
            for made in sorted(staging.iterdir()):
                made.rename(path / made.name)
            staging.rmdir()
        except BaseException:
            _remove(path, is_new=is_new)
            raise
    except OSError as error:
        raise ConfigurationError(f"cannot make {path}: {error.strerror}") from error


def _make_staging(staging: Path) -> bool:
    """Make the hidden folder, and tell whether the one around it is new.

    Of several that try at once only one gets it; nothing is undone here, as it is that one's.
    """
    path = staging.parent
    _require_empty(path)
    is_new = not path.exists()
    path.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    staging.mkdir(mode=_PRIVATE_FOLDER)
    path.chmod(_PRIVATE_FOLDER)
    return is_new


def _require_empty(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise ConfigurationError(f"{path} is no folder")
    if path.is_dir() and any(path.iterdir()):
        raise ConfigurationError(f"{path} is not empty: name a new or an empty folder")


def _remove(path: Path, *, is_new: bool) -> None:
    """Undo: whatever is inside was made here, since the folder was empty before."""
    if not path.is_dir():
        return
    for made in path.iterdir():
        shutil.rmtree(made) if made.is_dir() else made.unlink()
    if is_new:
        path.rmdir()


def _unix(instant: datetime) -> int:
    return int(instant.timestamp())
