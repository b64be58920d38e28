"""License files over HTTP."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated

from pydantic import Field

from license_server.admin.license_files import issue_file
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
from license_server.license_files import LONGEST, LoadIssuer
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
    body = call.body
    file = await issue_file(
        call.desk,
        load_issuer,
        call.path["license_id"],
        LicenseKey.parse(body.license_key),
        body.instance_id,
        timedelta(seconds=body.lasts_seconds),
    )
    return Reply(LicenseFileDocument(file=file))
