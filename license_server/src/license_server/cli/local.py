"""The admin API of a server's own folder, for the command line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from license_server.api import license_files
from license_server.api.openapi import described
from license_server.api.server import AdminApi, as_operator
from license_server.api.table import ENDPOINTS
from license_server.audit import ACTOR_CLI, Head
from license_server.checkpoint_files import record_checkpoint
from license_server.clock import utc_now
from license_server.desk import Desk, Vault
from license_server.key_files import (
    load_checkpoint_signer,
    load_file_issuer,
    load_keysets,
    load_peppers,
    load_sealer,
)
from license_server.license_files import LicenseFileIssuer
from license_server.repository.database import Database
from license_server.repository.schema import require_current
from license_server.repository.transaction import SqlRepository
from license_server.settings import load_settings


@asynccontextmanager
async def open_local_api(folder: Path) -> AsyncIterator[AdminApi]:
    """Yield the API, once the folder's files and schema are known to be right.

    Raises:
        ConfigurationError: settings, key files or schema are unusable.
        NotReady: the database does not answer.
    """
    repository, vault = await _opened(folder)
    table = described((*ENDPOINTS, *license_files.endpoints(lambda: _file_issuer(folder))))
    yield AdminApi(table, repository, vault, as_operator, utc_now)


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[Desk]:
    """Yield a desk on the folder's database, for what no request may ask for."""
    repository, vault = await _opened(folder)
    async with repository.transaction() as transaction:
        yield Desk(transaction, vault, ACTOR_CLI, utc_now())


def _file_issuer(folder: Path) -> LicenseFileIssuer:
    settings = load_settings(folder)
    return load_file_issuer(settings.signing_key_file, settings.keyset_file)


async def _opened(folder: Path) -> tuple[SqlRepository, Vault]:
    settings = load_settings(folder)
    database = Database.from_url(settings.database_url.get_secret_value())
    vault = Vault(load_peppers(settings.peppers_file), load_sealer(settings.sealing_key_file))
    await require_current(database)
    return SqlRepository(database), vault


async def write_checkpoint(folder: Path, output: Path | None) -> tuple[Path, Head]:
    """Append a signed checkpoint of the folder's audit log to a file; return both."""
    settings = load_settings(folder)
    signer = load_checkpoint_signer(settings.signing_key_file, load_keysets(settings.keyset_file))
    path = output or settings.audit_checkpoint_file
    async with open_desk(folder) as desk:
        return path, await record_checkpoint(desk, signer, path)
