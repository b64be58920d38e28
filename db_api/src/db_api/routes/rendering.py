"""How `/api` reads bodies and writes answers: camelCase, instants with milliseconds and `Z`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import JSONResponse

from db_api.errors import InvalidRequestError, UnsupportedMediaTypeError

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]
_JSON: Final = "application/json"


class Body(BaseModel):
    """A JSON body; a member that is not known is refused, since it may be a mistyped one."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, alias_generator=to_camel
    )


BodyT = TypeVar("BodyT", bound=Body)


async def read_body(request: Request, model: type[BodyT]) -> BodyT:
    """Read a JSON body into a model.

    Raises:
        UnsupportedMediaTypeError: the body is not declared as JSON.
        InvalidRequestError: it is not JSON, or not of this model.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _JSON:
        raise UnsupportedMediaTypeError(
            "The body must be JSON.", hint=f"Send the header `Content-Type: {_JSON}`."
        )
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        raise InvalidRequestError(
            "The body does not fit.", details="; ".join(_mistakes(error))
        ) from None


def _mistakes(error: ValidationError) -> Sequence[str]:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        f"{'.'.join(str(part) for part in detail['loc']) or 'body'}: {detail['msg']}"
        for detail in details
    ]


def answer(data: Json, message: str, status: int = 200) -> JSONResponse:
    """Answer `{data, message}`."""
    return JSONResponse({"data": data, "message": message}, status)


def instant(moment: datetime | None) -> str | None:
    """Write an aware instant as `2026-01-27T10:00:00.000Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
