"""Whether the mail server takes mails from here."""

from license_server.errors import DeliveryFailed
from license_server.findings import Finding, failed, passed
from license_server.settings import Settings
from license_server.working import mail_server


async def examine_mail(settings: Settings) -> list[Finding]:
    """Knock at the mail server, if there is one."""
    server = mail_server(settings)
    if server is None:
        return []
    try:
        await server.greet()
    except DeliveryFailed as error:
        remedy = "see SMTP_HOST, SMTP_PORT, SMTP_SECURITY, SMTP_USERNAME and SMTP_PASSWORD"
        return [failed("M002", str(error), remedy)]
    return [passed("M002", "the mail server lets this server in")]
