"""The composition root of the worker: from settings to what it does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from license_server.admin.jobs import (
    archive_deployments,
    erase_old_content,
    send_expiring_notices,
)
from license_server.admin.recovery import RecoveryMailer
from license_server.admin.sign_in_links import SignInMailer
from license_server.admin.trials import issue_requested_trial
from license_server.checkpoint_files import record_checkpoint
from license_server.checkpoints import CheckpointSigner
from license_server.clock import utc_now
from license_server.desk import Desk, Vault
from license_server.errors import ConfigurationError
from license_server.key_files import (
    load_checkpoint_signer,
    load_keysets,
    load_peppers,
    load_sealer,
)
from license_server.mail.delivery import deliver_mail
from license_server.mail.sending import MailFolder, SmtpServer
from license_server.mail.writing import MailWriter
from license_server.repository.database import Database
from license_server.repository.schema import require_current
from license_server.repository.transaction import SqlRepository
from license_server.settings import Settings
from license_server.stores import OutboxKind, Repository
from license_server.webhooks.sending import EventSender
from license_server.worker import Duties, Job, Worker


def load_vault(settings: Settings) -> Vault:
    """Read what blinds and seals.

    Raises:
        ConfigurationError: a file is missing, garbage or open to other users.
    """
    return Vault(load_peppers(settings.peppers_file), load_sealer(settings.sealing_key_file))


@asynccontextmanager
async def running_worker(
    settings: Settings, repository: Repository, vault: Vault
) -> AsyncIterator[None]:
    """Have a worker run beside whatever else does, if the settings say so."""
    if not settings.run_worker:
        yield
        return
    stop = asyncio.Event()
    worker = Worker(repository, vault, _duties(settings, repository, vault), utc_now)
    task = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Be a worker, and nothing else, until `stop` is set.

    Raises:
        ConfigurationError: a file or the schema is unusable, or the database is for one process.
        NotReady: the database does not answer.
    """
    database = Database.from_url(settings.database_url.get_secret_value())
    if database.path is not None:
        raise ConfigurationError(
            "a SQLite database is for one process: `license-server serve` does the work beside "
            "serving; with PostgreSQL there may be any number of workers"
        )
    await require_current(database)
    repository, vault = SqlRepository(database), load_vault(settings)
    worker = Worker(repository, vault, _duties(settings, repository, vault), utc_now)
    await worker.run(stop)


def _duties(settings: Settings, repository: Repository, vault: Vault) -> Duties:
    keysets = load_keysets(settings.keyset_file)
    signer = load_checkpoint_signer(settings.signing_key_file, keysets)
    return Duties(
        deliveries={
            OutboxKind.MAIL: partial(
                deliver_mail, MailWriter(settings.mail_from), _mail_way(settings), utc_now
            ),
            OutboxKind.WEBHOOK: EventSender(repository, vault, utc_now),
        },
        works={
            OutboxKind.TRIAL: issue_requested_trial,
            OutboxKind.RECOVERY: RecoveryMailer(settings.public_url),
            OutboxKind.SIGN_IN: SignInMailer(settings.public_url),
        },
        jobs=(
            Job("expiring-notices", timedelta(hours=1), send_expiring_notices),
            Job("archive-deployments", timedelta(days=1), archive_deployments),
            Job("erase-old-content", timedelta(hours=1), erase_old_content),
            Job(
                "audit-checkpoint",
                timedelta(days=1),
                partial(_record_checkpoint, signer, settings.audit_checkpoint_file),
            ),
        ),
    )


async def _record_checkpoint(signer: CheckpointSigner, path: Path, desk: Desk) -> None:
    await record_checkpoint(desk, signer, path)


def _mail_way(settings: Settings) -> SmtpServer | MailFolder:
    return mail_server(settings) or MailFolder(settings.mail_folder)


def mail_server(settings: Settings) -> SmtpServer | None:
    """Return the mail server of the settings; None = mails go into a folder."""
    if settings.smtp_host is None:
        return None
    password = settings.smtp_password
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=None if password is None else password.get_secret_value(),
    )
