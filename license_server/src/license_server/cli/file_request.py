"""What a customer sends to get a license file: bytes in, a `FileRequest` or one error out."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from license_server.emails import Email
from license_server.errors import FieldError, InvalidField, MalformedJson
from license_server.license_keys import ALPHABET, CHECK_SYMBOLS
from license_server.messages import Client
from license_server.strict_json import read_object

MAX_BYTES: Final = 16 * 1024
"""Longest request (contract, "License files")."""

_AS_WRITTEN: Final = "not as `license-client request` writes it"
_EXPECTED: Final = {"v": "1 is expected; if a newer client wrote it, update the license server"}


class FileRequest(BaseModel):
    """Who asks, for which machine; members that it does not know are ignored.

    Mirrors `wire/schemas/file-request.json`. There is no key in it, only a hint of one.
    """

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)

    v: int = Field(ge=1, le=1)  # pydantic takes true for Literal[1]
    product: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    email: Annotated[str, AfterValidator(lambda text: Email.parse(text).address)] = Field(
        max_length=320, repr=False
    )
    key_hint: str = Field(pattern=f"^[{ALPHABET}]{{{CHECK_SYMBOLS}}}$")
    instance_id: str = Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")
    client: Client


def read_file_request(text: bytes) -> FileRequest:
    """Parse a request completely.

    Raises:
        MalformedJson: it is too long, or no strict JSON object.
        InvalidField: members are missing or malformed; all of them are named.
    """
    if len(text) > MAX_BYTES:
        raise MalformedJson(f"a request of at most {MAX_BYTES} bytes is expected")
    try:
        return FileRequest.model_validate(read_object(text))
    except ValidationError as error:
        names = {str(detail["loc"][0]) for detail in error.errors(include_input=False)}
        raise InvalidField(
            *(FieldError(name, _EXPECTED.get(name, _AS_WRITTEN)) for name in names)
        ) from error
