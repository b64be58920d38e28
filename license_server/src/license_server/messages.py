"""What clients send to activate, validate and deactivate: bytes in, a `Presented` or one error out.

Mirrors `wire/schemas/license-request.json`. Members that it does not know are ignored: a newer
client may send them, and the digest covers the exact bytes anyway.
"""

import hashlib
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from license_server import base64url
from license_server.emails import Email
from license_server.errors import FieldError, InvalidField
from license_server.evaluation import Operation
from license_server.keysets import MAX_EPOCH
from license_server.license_keys import MAX_TEXT_LENGTH, LicenseKey
from license_server.service import Presented
from license_server.strict_json import read_object

MAX_BODY_BYTES: Final = 16 * 1024
"""Longest request body (contract, "Runtime endpoints")."""

_MAX_EMAIL_LENGTH: Final = 320  # of the text as typed; the address itself is judged by `Email`


def _refuse_null(value: object) -> object:
    if value is None:
        raise ValueError("left out or a string, but not null")
    return value


_Version = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Za-z.+!_-]{1,32}$",
        description="1 to 32 letters, digits or . + ! _ - are expected",
    ),
]
_NotNull = BeforeValidator(_refuse_null)  # a default is not validated


class Client(BaseModel):
    """The library that sends a request."""

    model_config = ConfigDict(strict=True, frozen=True)

    name: str = Field(
        pattern=r"^[\x20-\x7e]{1,64}$",
        description="1 to 64 printable ASCII characters are expected",
    )
    version: _Version


class LicenseRequest(BaseModel):
    """The members of a request; a description is what is said of a broken one."""

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)

    license_key: str = Field(
        max_length=MAX_TEXT_LENGTH,
        description=f"a string of at most {MAX_TEXT_LENGTH} characters is expected",
        repr=False,
    )
    email: str = Field(
        max_length=_MAX_EMAIL_LENGTH,
        description=f"a string of at most {_MAX_EMAIL_LENGTH} characters is expected",
        repr=False,
    )
    product: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
        description="1 to 64 of a-z 0-9 . _ - are expected, a letter or digit first",
    )
    instance_id: str = Field(
        pattern=r"^[A-Za-z0-9._:-]{1,64}$",
        description="1 to 64 letters, digits or . _ : - are expected",
    )
    nonce: str = Field(
        pattern=r"^[A-Za-z0-9_-]{21}[AQgw]$",
        description="16 random bytes as 22 characters of unpadded base64url are expected",
    )
    client: Client = Field(description="an object with name and version is expected")
    keyset_epoch: int = Field(
        ge=0, le=MAX_EPOCH, description=f"an integer from 0 to {MAX_EPOCH} is expected"
    )
    app_version: Annotated[_Version | None, _NotNull] = None
    deployment_name: Annotated[str | None, _NotNull] = Field(
        default=None,
        min_length=1,
        max_length=64,
        pattern=r"^[^\p{C}\p{Zl}\p{Zp}]*$",
        description="1 to 64 printable characters are expected",
    )


def read_request(operation: Operation, body: bytes) -> Presented:
    """Parse a request completely.

    Args:
        operation: what the request's path asks for.
        body: exactly as received.

    Raises:
        MalformedJson: the body is no strict JSON object.
        InvalidField: members are missing or malformed; all of them are named.
        KeyMalformed: all is well but the license key.
    """
    request = _validate(read_object(body))
    return Presented(
        email=Email.parse(request.email),
        key=LicenseKey.parse(request.license_key),
        product=request.product,
        instance_id=request.instance_id,
        client_name=request.client.name,
        client_version=request.client.version,
        app_version=request.app_version,
        deployment_name=request.deployment_name,
        keyset_epoch=request.keyset_epoch,
        digest=request_digest(operation, body),
    )


def request_digest(operation: Operation, body: bytes) -> str:
    """Return the claim `req`: it binds an answer to the operation and to every byte of its body."""
    return base64url.encode(hashlib.sha256(b"req1.%s\n%s" % (operation.encode(), body)).digest())


def _validate(members: dict[str, object]) -> LicenseRequest:
    try:
        return LicenseRequest.model_validate(members)
    except ValidationError as error:
        raise InvalidField(*_field_errors(error)) from error


def _field_errors(error: ValidationError) -> list[FieldError]:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return [FieldError(".".join(map(str, d["loc"])), _expectation(d["loc"])) for d in details]


def _expectation(location: tuple[int | str, ...]) -> str:
    """Return the description of the member at `location`, such as ("client", "name")."""
    fields = LicenseRequest.model_fields if len(location) == 1 else Client.model_fields
    return fields[str(location[-1])].description or "a string is expected"
