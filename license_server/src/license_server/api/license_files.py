"""License files over HTTP."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated

from pydantic import Field

from license_server.admin.licenses import Licenses
from license_server.admin.products import Products
from license_server.api.endpoints import (
    ISSUERS,
    AnyEndpoint,
    Call,
    Document,
    Endpoint,
    Members,
    Nothing,
    Reply,
)
from license_server.api.members import Seconds, told_span
from license_server.errors import (
    ConfigurationError,
    FieldError,
    InvalidField,
    SigningUnavailable,
    StateConflict,
)
from license_server.evaluation import Found, Seat
from license_server.license_files import LONGEST, FileOrder, LicenseFileIssuer, LoadIssuer
from license_server.license_keys import MAX_TEXT_LENGTH, LicenseKey

_Life = Annotated[Seconds, told_span(timedelta(seconds=1), LONGEST)]


class NewLicenseFile(Members):
    """A license file to be issued; the server keeps no keys, so one has to be presented."""

    license_key: str = Field(
        max_length=MAX_TEXT_LENGTH, repr=False, json_schema_extra={"format": "license-key"}
    )
    lasts_seconds: _Life
    instance_id: str | None = Field(default=None, pattern="^[A-Za-z0-9._:-]{1,64}$")


class LicenseFileDocument(Document):
    """An armored license file."""

    file: str


def endpoints(load_issuer: LoadIssuer) -> Sequence[AnyEndpoint]:
    """Return the endpoint.

    Args:
        load_issuer: reads the signing key when a file is asked for.
    """
    return (
        Endpoint(
            "POST",
            "/v1/admin/licenses/{license_id}/file",
            "license.issue_file",
            "Issue a license file for machines that never go online",
            ISSUERS,
            Nothing,
            NewLicenseFile,
            LicenseFileDocument,
            partial(_issue_file, load_issuer),
        ),
    )


async def _issue_file(load_issuer: LoadIssuer, call: Call[Nothing, NewLicenseFile]) -> Reply:
    desk, body = call.desk, call.body
    view = await Licenses(desk).get(call.path["license_id"])
    license_id = view.license.license_id
    key = LicenseKey.parse(body.license_key)
    opened = await desk.transaction.keys.license_of(desk.vault.peppers.key_macs(key), desk.now)
    if opened != license_id:
        raise InvalidField(FieldError("license_key", "a key of this license is expected"))
    if view.email is None:
        raise StateConflict("the owner of this license is erased")
    product = (await Products(desk).get(view.license.product)).product
    found = Found(view.license, product.policy, True, None, Seat.TAKEN)  # noqa: FBT003 - the email is the owner's
    order = FileOrder(key, view.email, body.instance_id, timedelta(seconds=body.lasts_seconds))
    file = _loaded(load_issuer).issue(found, order, desk.now)
    after = {"lasts_seconds": body.lasts_seconds, "is_bound": body.instance_id is not None}
    await desk.record("license.issue_file", license_id, None, after)
    return Reply(LicenseFileDocument(file=file))


def _loaded(load_issuer: LoadIssuer) -> LicenseFileIssuer:
    try:
        return load_issuer()
    except ConfigurationError as error:
        raise SigningUnavailable(str(error)) from error
