"""What a mail says, over HTTP: its secrets masked, and only while the server still holds it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from license_server.admin.mails import masked
from license_server.admin.outbox import mail_of
from license_server.api.endpoints import (
    SUPPORTERS,
    AnyEndpoint,
    Call,
    Endpoint,
    Nothing,
    Reply,
)
from license_server.api.mails import MailDocument
from license_server.desk import payload_context
from license_server.mail.writing import MailWriter

_WRITER: Final = MailWriter("preview@localhost")  # the sender is not shown


class MailPreview(MailDocument):
    """A mail and what it says; None = that is erased."""

    is_erased: bool
    to: str | None
    mail_subject: str | None
    text: str | None


async def _preview(call: Call[Nothing, Nothing]) -> Reply:
    entry = await mail_of(call.desk, call.path["mail_id"])
    members = MailDocument.of(entry).model_dump()
    sealed = entry.payload_sealed
    if sealed is None:
        erased = MailPreview(**members, is_erased=True, to=None, mail_subject=None, text=None)
        return Reply(erased)
    opened = call.desk.vault.sealer.unseal_bytes(sealed, payload_context(entry.entry_id))
    content: Mapping[str, Any] = masked(json.loads(opened))
    message = _WRITER.write(entry.topic, content, entry.entry_id, call.desk.now)
    plain = message.get_body(("plain",))
    preview = MailPreview(
        **members,
        is_erased=False,
        to=content["to"],
        mail_subject=message["Subject"],
        text="" if plain is None else plain.get_content(),
    )
    return Reply(preview)


ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        "GET", "/v1/admin/mails/{mail_id}/preview", "mail.preview",
        "Show what a mail says, keys and links masked", SUPPORTERS, Nothing, Nothing, MailPreview,
        _preview,
    ),
)  # fmt: skip
