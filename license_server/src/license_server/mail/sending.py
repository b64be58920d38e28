"""Two ways to send a message: to a mail server, or into a folder."""

import asyncio
import os
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Literal

import aiosmtplib

from license_server.errors import DeliveryFailed

_TIMEOUT_SECONDS: Final = 30.0
_GREETING_SECONDS: Final = 10.0  # in all
_PERMANENT: Final = 500  # RFC 5321, 4.2.1: what begins with 5 will fail again
_OWNER_ONLY: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server.

    Attributes:
        host: its name; its certificate must have it.
        port: to connect to.
        security: how the connection is protected.
        username: None = it asks for none.
        password: of that user.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    async def send(self, message: EmailMessage, _entry_id: str) -> None:
        """Hand a message over.

        Raises:
            DeliveryFailed: it was not taken.
        """
        try:
            async with self._client(_TIMEOUT_SECONDS) as client:
                await client.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refused.code for refused in error.recipients]
            is_final = all(code >= _PERMANENT for code in codes)
            raise DeliveryFailed(
                f"the recipient was refused: {codes}", is_final=is_final
            ) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _failure(error) from error

    async def greet(self) -> None:
        """Connect and log in as for a message, and send none; over in 10 seconds.

        Raises:
            DeliveryFailed: it would not take a message from here.
        """
        try:
            async with asyncio.timeout(_GREETING_SECONDS), self._client(_GREETING_SECONDS):
                pass
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _failure(error) from error

    def _client(self, timeout_seconds: float) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",
            timeout=timeout_seconds,
        )


def _failure(error: Exception) -> DeliveryFailed:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return DeliveryFailed(f"the mail server answered {error.code}")
    return DeliveryFailed(f"the mail server cannot be used: {type(error).__name__}")


@dataclass(frozen=True, slots=True)
class MailFolder:
    """A folder that gets each message as a file; for trying out, and for other programs to send.

    Attributes:
        path: of the folder; made when the first message comes.
    """

    path: Path

    async def send(self, message: EmailMessage, entry_id: str) -> None:
        """Write a message, whole or not at all.

        Raises:
            DeliveryFailed: it cannot be written.
        """
        try:
            await asyncio.to_thread(self._write, bytes(message), entry_id)
        except OSError as error:
            raise DeliveryFailed(f"the mail folder cannot be written: {error.strerror}") from error

    def _write(self, content: bytes, entry_id: str) -> None:
        self.path.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        unfinished = self.path / f".{entry_id}"
        flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY
        with os.fdopen(os.open(unfinished, flags, _OWNER_ONLY), "wb") as file:
            file.write(content)
        unfinished.rename(self.path / f"{entry_id}.eml")
