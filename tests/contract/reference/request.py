"""Requests as the server reads them: exact bytes in, normalized members or one problem out."""

import re
import unicodedata
from collections.abc import Callable

from reference.encoding import JsonObject, Members, from_b64url, read_object
from reference.flaw import FlawError, RejectedError, rejecting, require
from reference.keyset import MAX_EPOCH
from reference.license_key import ALPHABET, CHECK_SYMBOLS, read_key
from reference.owner_email import read_email

_PRODUCT = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_INSTANCE = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_VERSION = re.compile(r"[0-9A-Za-z.+!_-]{1,32}")
_CLIENT_NAME = re.compile(r"[\x20-\x7e]{1,64}")
_HINT = re.compile(f"[{ALPHABET}]{{{CHECK_SYMBOLS}}}")
MAX_FILE_REQUEST_BYTES = 16 * 1024
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def read_request(body: bytes) -> JsonObject:
    """Read a request body; `license_key` and `email` come back in their canonical forms.

    Raises:
        RejectedError: MALFORMED_JSON, INVALID_FIELD with the member's name, or KEY_MALFORMED.
    """
    with rejecting("MALFORMED_JSON"):
        request = read_object(body)
    normalized = {
        name: _read_member(name, request) for name in _REQUEST_READERS if _is_due(name, request)
    }
    with rejecting("KEY_MALFORMED"):
        return normalized | {"license_key": read_key(str(request["license_key"]))}


def read_self_service(body: bytes) -> JsonObject:
    """Read the body that asks for a trial or a recovery.

    Raises:
        RejectedError: MALFORMED_JSON, or INVALID_FIELD with the member's name.
    """
    with rejecting("MALFORMED_JSON"):
        request = read_object(body)
    return {name: _read_member(name, request) for name in ("email", "product")}


def read_file_request(text: bytes) -> JsonObject:
    """Read what a machine that never goes online asks of its vendor.

    Raises:
        RejectedError: MALFORMED_JSON, or INVALID_FIELD with the member's name.
    """
    with rejecting("MALFORMED_JSON"):
        require(len(text) <= MAX_FILE_REQUEST_BYTES, "json")
        request = read_object(text)
    names = ("v", "product", "email", "key_hint", "instance_id", "client")
    return {name: _read_member(name, request) for name in names}


def _is_due(name: str, request: JsonObject) -> bool:
    return name in request or name not in ("app_version", "deployment_name")


def _read_member(name: str, request: JsonObject) -> object:
    try:
        return _READERS[name](Members(request, name))
    except FlawError as flaw:
        raise RejectedError("INVALID_FIELD", name) from flaw


def _matching(members: Members, name: str, pattern: re.Pattern[str]) -> str:
    text = members.text(name)
    require(pattern.fullmatch(text), name)
    return text


def _read_nonce(members: Members) -> str:
    nonce = members.text("nonce", 22, 22)
    require(len(from_b64url(nonce)) == 16, "nonce")
    return nonce


def _read_client(members: Members) -> JsonObject:
    client = members.inner("client")
    return {
        "name": _matching(client, "name", _CLIENT_NAME),
        "version": _matching(client, "version", _VERSION),
    }


def _read_deployment_name(members: Members) -> str:
    name = members.text("deployment_name")
    require(all(unicodedata.category(char) not in _UNPRINTABLE for char in name), "deployment_name")
    return name


def _read_version(members: Members) -> int:
    require(members.integer("v") == 1, "v")
    return 1


_Reader = Callable[[Members], object]
_REQUEST_READERS: dict[str, _Reader] = {
    "license_key": lambda members: members.text("license_key", 0, 128),
    "email": lambda members: read_email(members.text("email", 0, 320)),
    "product": lambda members: _matching(members, "product", _PRODUCT),
    "instance_id": lambda members: _matching(members, "instance_id", _INSTANCE),
    "nonce": _read_nonce,
    "client": _read_client,
    "keyset_epoch": lambda members: members.integer("keyset_epoch", 0, MAX_EPOCH),
    "app_version": lambda members: _matching(members, "app_version", _VERSION),
    "deployment_name": _read_deployment_name,
}
_READERS: dict[str, _Reader] = {
    **_REQUEST_READERS,
    "v": _read_version,
    "key_hint": lambda members: _matching(members, "key_hint", _HINT),
}
