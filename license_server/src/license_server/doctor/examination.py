"""The whole of a server looked over."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from license_server.doctor.database import examine_database
from license_server.doctor.files import examine_files
from license_server.doctor.mail import examine_mail
from license_server.doctor.storage import examine_storage
from license_server.findings import Finding
from license_server.settings import Settings


async def examine(settings: Settings, now: datetime) -> Sequence[Finding]:
    """Look at files, database, shared storage and mail server of the settings."""
    asked = await asyncio.gather(
        examine_database(settings, now), examine_storage(settings), examine_mail(settings)
    )
    return [*examine_files(settings, now), *(finding for findings in asked for finding in findings)]
