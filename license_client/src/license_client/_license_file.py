"""License files, which a vendor hands to machines that never go online, and the request for one.

A text between two marks holds key sets and a signed yes. Reading it is strict; only white space
between its characters means nothing, because mail programs put it there.

1. At most 128 KiB, ASCII.
2. The marks, and nothing else around what is between them.
3. Canonical base64 of a strict JSON object, its version and its members.
4. Key sets, by `_keyset`: those below the newest that is known are left out.
5. The token, by `_verify`.
6. It is for this machine, or for any of its owner's.
"""

import binascii
from pathlib import Path
from typing import Final, NamedTuple

from license_client._codes import UPDATE
from license_client._credentials import CHECK_SYMBOLS, Credentials
from license_client._decision import Decision
from license_client._json import (
    JsonObject,
    MalformedError,
    inners,
    integer,
    read_object,
    text,
    write,
)
from license_client._keyset import Trust, resume
from license_client._option_values import read_path
from license_client._verify import FILE_KIND, verify_decision
from license_client._version import CLIENT_NAME, __version__
from license_client.errors import ConfigurationError, DecisionRejectedError

MAX_BYTES: Final = 128 * 1024  # as the cache, which has to hold what is in a file
VERSION: Final = 1
_REQUEST_VERSION: Final = 1
_BEGIN: Final = b"-----BEGIN LICENSE FILE-----"
_END: Final = b"-----END LICENSE FILE-----"
_WHITE_SPACE: Final = b" \t\r\n"


class Filed(NamedTuple):
    """A verified license file: its decision, the token of that, and the key sets with its own."""

    decision: Decision
    token: str
    trust: Trust


def write_file_request(product: str, credentials: Credentials, instance_id: str) -> str:
    """Return what a customer sends to the vendor to get a file, as one line of JSON.

    It names the license by its owner's email and the last symbols of its key; the key itself
    stays here: whoever carries the request gets nothing to use.

    Mirrors `license_server/wire/schemas/file-request.json`.
    """
    members: JsonObject = {
        "v": _REQUEST_VERSION,
        "product": product,
        "email": credentials.email,
        "key_hint": credentials.key.reveal()[-CHECK_SYMBOLS:],
        "instance_id": instance_id,
        "client": {"name": CLIENT_NAME, "version": __version__},
    }
    return write(members)


def read_file(path: Path) -> bytes:
    """Return the bytes of a license file, one more than it may have at most.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        with read_path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error


def verify_file(
    file: bytes, *, trust: Trust, product: str, credentials: Credentials, instance_id: str | None
) -> Filed:
    """Return what may be believed of a license file.

    Args:
        file: its text.
        trust: key sets as far as they are known here.
        product: ours, as the program names it.
        credentials: key and email that it must be about.
        instance_id: of this deployment; None when it has none yet.

    Raises:
        DecisionRejectedError: `rule` names the first check that failed.
        KeySetRejectedError: the key sets in it are not the roots'.
    """
    try:
        content = read_object(_unpack(file))  # 3
        key_sets, token = _read_content(content)
    except MalformedError as error:
        raise rejected_file(error.rule or "structure") from error
    known = resume(trust, key_sets)  # 4
    decision = verify_decision(  # 5
        token,
        key_set=known.current,
        product=product,
        credentials=credentials,
        kind=FILE_KIND,
    )
    if decision.instance_id not in (None, instance_id):  # 6
        raise rejected_file("instance")
    return Filed(decision, token, known)


def rejected_file(rule: str) -> DecisionRejectedError:
    """Return the error for a file that breaks `rule`."""
    advice = "Ask the vendor for a new file for this key, email and machine"
    return DecisionRejectedError(
        f"the license file breaks the rule {rule!r}; the license is unchanged. "
        f"{UPDATE if rule == 'version' else advice}",
        rule=rule,
    )


def _unpack(file: bytes) -> bytes:
    if len(file) > MAX_BYTES:  # 1
        raise MalformedError(f"longer than {MAX_BYTES} bytes", rule="too-long")
    if not file.isascii():
        raise MalformedError("not ASCII", rule="not-ascii")
    armor = file.strip(_WHITE_SPACE)  # 2
    if len(armor) < len(_BEGIN + _END) or not (armor.startswith(_BEGIN) and armor.endswith(_END)):
        raise MalformedError("not between the marks of a license file", rule="armor")
    packed = armor[len(_BEGIN) : -len(_END)].translate(None, _WHITE_SPACE)
    try:
        content = binascii.a2b_base64(packed, strict_mode=True)
    except binascii.Error as error:
        raise MalformedError("not base64", rule="base64") from error
    if binascii.b2a_base64(content, newline=False) != packed:
        raise MalformedError("not canonical base64", rule="base64")
    return content


def _read_content(members: JsonObject) -> tuple[list[JsonObject], str]:
    if integer(members, "v") != VERSION:
        raise MalformedError("v: expected 1", rule="version")
    return inners(members, "keyset"), text(members, "file", maximum=MAX_BYTES)
