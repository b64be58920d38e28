"""Which licenses a list or an export holds, over HTTP."""

from typing import Annotated

from pydantic import Field

from license_server.api.endpoints import Members
from license_server.api.members import DomainText, EmailText, Id, QueryInstant
from license_server.desk import Desk
from license_server.emails import Email
from license_server.licenses import Kind, Status
from license_server.products import CODE
from license_server.stores import LicenseFilter


class LicenseFilterQuery(Members):
    """Which licenses."""

    product: Annotated[str, Field(pattern=f"^{CODE.pattern}$")] | None = None
    email: EmailText | None = None
    domain: DomainText | None = None
    owner_id: Id | None = None
    key_hint: str | None = Field(default=None, pattern="^[0-9A-Za-z]{4}$")
    kind: Kind | None = None
    status: Status | None = None
    expires_after: QueryInstant | None = None
    expires_before: QueryInstant | None = None
    issued_after: QueryInstant | None = None
    issued_before: QueryInstant | None = None

    def filter(self, desk: Desk) -> LicenseFilter:
        """Return which licenses are asked for.

        Raises:
            InvalidField: the email or the domain is none.
        """
        peppers = desk.vault.peppers
        email = None if self.email is None else Email.parse(self.email)
        domain = None if self.domain is None else Email.parse(f"any@{self.domain}")
        return LicenseFilter(
            now=desk.now,
            product=self.product,
            owner_id=self.owner_id,
            email_indexes=None if email is None else peppers.email_indexes(email),
            domain_indexes=None if domain is None else peppers.domain_indexes(domain),
            key_hint=None if self.key_hint is None else self.key_hint.upper(),
            kind=self.kind,
            status=self.status,
            expires_after=self.expires_after,
            expires_before=self.expires_before,
            issued_after=self.issued_after,
            issued_before=self.issued_before,
        )
