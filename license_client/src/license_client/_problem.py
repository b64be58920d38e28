"""What a closed gate answers over HTTP: a problem document after RFC 9457."""

from typing import Final

from license_client._json import JsonObject, write
from license_client._status import LicenseStatus

STATUS: Final = 403
MEDIA_TYPE: Final = "application/problem+json"


def problem_of(status: LicenseStatus) -> bytes:
    """Return the document that tells why a license is not usable, and what to do."""
    members: JsonObject = {
        "type": "about:blank",
        "title": "Forbidden",
        "status": STATUS,
        "code": status.code,
        "detail": status.message,
    }
    return write(members).encode("utf-8")
