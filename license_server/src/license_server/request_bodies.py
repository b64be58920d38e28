"""Reading the bodies of the public endpoints."""

from starlette.types import Receive, Scope

from license_server.errors import BodyTooLarge, UnsupportedMediaType


async def read_body(receive: Receive, max_bytes: int) -> bytes | None:
    """Read the whole body; None if the client left.

    Raises:
        BodyTooLarge: it has more than `max_bytes`.
    """
    parts, length = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > max_bytes:
            raise BodyTooLarge(f"The body must be at most {max_bytes} bytes long.")
        if not message.get("more_body", False):
            return b"".join(parts)


def require_json(scope: Scope) -> None:
    """Do nothing if the body is declared as JSON.

    Raises:
        UnsupportedMediaType: it is not.
    """
    for name, value in scope["headers"]:
        if (
            name == b"content-type"
            and value.partition(b";")[0].strip().lower() == b"application/json"
        ):
            return
    raise UnsupportedMediaType("the header Content-Type: application/json is expected")
