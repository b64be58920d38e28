"""What the vendor's commands work with: the server of a folder, opened."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from license_server.admin import Admin
from license_server.audit import ACTOR_CLI
from license_server.key_files import load_peppers, load_sealer
from license_server.repository.administration import Administration
from license_server.repository.database import Database
from license_server.repository.schema import require_current
from license_server.settings import load_settings

_Result = TypeVar("_Result")


def administer(folder: Path, work: Callable[[Admin], Awaitable[_Result]]) -> _Result:
    """Do `work` on the server of `folder`, once its schema is known to be right.

    Raises:
        ConfigurationError: settings, key files or schema are unusable.
        LicenseServerError: whatever `work` raises.
    """
    settings = load_settings(folder)
    database = Database.from_url(settings.database_url.get_secret_value())
    peppers = load_peppers(settings.peppers_file)
    sealer = load_sealer(settings.sealing_key_file)

    async def run() -> _Result:
        await require_current(database)
        return await work(Admin(Administration(database), peppers, sealer, ACTOR_CLI))

    return asyncio.run(run())
