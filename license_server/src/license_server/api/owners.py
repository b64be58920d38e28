"""Owners over HTTP."""

from typing import Final

from license_server.admin.deployments import Deployments
from license_server.admin.licenses import Licenses
from license_server.admin.owners import Owners, OwnerView
from license_server.api.deployments import DeploymentDocument
from license_server.api.endpoints import (
    OWNERS,
    READERS,
    AnyEndpoint,
    Call,
    Document,
    Endpoint,
    Members,
    Nothing,
    Reply,
)
from license_server.api.licenses import LicenseDocument
from license_server.api.members import LARGEST_PAGE, EmailText, Shown
from license_server.emails import Email
from license_server.errors import NotFound
from license_server.products import MAX_LIVE_DEPLOYMENTS
from license_server.stores import LicenseFilter


class OwnerQuery(Members):
    """Which owner."""

    email: EmailText


class OwnerDocument(Document):
    """An owner."""

    id: str
    email: str | None
    created_at: Shown
    erased_at: Shown | None

    @classmethod
    def of(cls, view: OwnerView) -> "OwnerDocument":
        """Return what is answered of an owner."""
        return cls(
            id=view.owner_id,
            email=None if view.email is None else view.email.address,
            created_at=view.created_at,
            erased_at=view.erased_at,
        )


class OwnedLicense(Document):
    """A license with its deployments."""

    license: LicenseDocument
    deployments: tuple[DeploymentDocument, ...]


class OwnerExport(Document):
    """All that the server knows of a person (GDPR, article 15)."""

    owner: OwnerDocument
    licenses: tuple[OwnedLicense, ...]


async def _find(call: Call[OwnerQuery, Nothing]) -> Reply:
    view = await Owners(call.desk).find(Email.parse(call.query.email))
    if view is None:
        raise NotFound("there is no owner of this email")
    return Reply(OwnerDocument.of(view))


async def _get(call: Call[Nothing, Nothing]) -> Reply:
    return Reply(OwnerDocument.of(await Owners(call.desk).get(call.path["owner_id"])))


async def _export(call: Call[Nothing, Nothing]) -> Reply:
    owner = await Owners(call.desk).get(call.path["owner_id"])
    which = LicenseFilter(now=call.desk.now, owner_id=owner.owner_id)
    owned = []
    for view in await Licenses(call.desk).page(which, None, LARGEST_PAGE):
        seen = await Deployments(call.desk, view.license.license_id).page(
            archived=True, after=None, limit=MAX_LIVE_DEPLOYMENTS
        )
        documents = tuple(map(DeploymentDocument.of, seen))
        owned.append(OwnedLicense(license=LicenseDocument.of(view), deployments=documents))
    return Reply(OwnerExport(owner=OwnerDocument.of(owner), licenses=tuple(owned)))


async def _erase(call: Call[Nothing, Nothing]) -> Reply:
    return Reply(OwnerDocument.of(await Owners(call.desk).erase(call.path["owner_id"])))


_ONE: Final = "/v1/admin/owners/{owner_id}"

ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        "GET", "/v1/admin/owners", "owner.find", "Find an owner by email", READERS, OwnerQuery,
        Nothing, OwnerDocument, _find,
    ),
    Endpoint(
        "GET", _ONE, "owner.get", "Show an owner", READERS, Nothing, Nothing, OwnerDocument, _get,
    ),
    Endpoint(
        "GET", f"{_ONE}/export", "owner.export", "Tell all that is known of a person", OWNERS,
        Nothing, Nothing, OwnerExport, _export,
    ),
    Endpoint(
        "POST", f"{_ONE}/erase", "owner.erase",
        "Forget a person: the email goes, the licenses are revoked", OWNERS, Nothing, Nothing,
        OwnerDocument, _erase,
    ),
)  # fmt: skip
