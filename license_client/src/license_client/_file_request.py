"""What a customer hands to the vendor, to get a license file for a machine that is never online.

It names the license by its owner's email and the last symbols of its key; the key itself stays
here: whoever carries the request, or reads the mail that it travels in, gets nothing to use.

Mirrors `license_server/wire/schemas/file-request.json`.
"""

from typing import Final

from license_client._conversation import CLIENT_NAME
from license_client._json import JsonObject, write
from license_client._keys import CHECK_SYMBOLS
from license_client._verify import Credentials
from license_client._version import __version__

_VERSION: Final = 1


def write_file_request(product: str, credentials: Credentials, instance_id: str) -> str:
    """Return the request as one line of JSON."""
    members: JsonObject = {
        "v": _VERSION,
        "product": product,
        "email": credentials.email,
        "key_hint": credentials.key.reveal()[-CHECK_SYMBOLS:],
        "instance_id": instance_id,
        "client": {"name": CLIENT_NAME, "version": __version__},
    }
    return write(members)
