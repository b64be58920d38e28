"""What reads bytes from outside in the client, each as a function of bytes alone.

None may let out anything but the package's own errors, whatever the bytes are. What a signature or
a seal would keep a fuzzer from is signed and sealed here first, by the golden vectors' own keys.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from license_client import LicenseClient, LicenseError
from license_client._cache import (
    Document,
    EncryptionKey,
    KeyRing,
    _associated,
    read_document,
    write_document,
)
from license_client._clock import Deadline, Reading
from license_client._conversation import Conversation
from license_client._credentials import Credentials, read_email, read_key
from license_client._environment import read_settings
from license_client._exchange import _retry_after
from license_client._json import MalformedError, read_object
from license_client._keyset import extend, load_anchor
from license_client._option_values import read_server_url
from license_client._placement import with_file
from license_client._settings import build_settings
from license_client._snapshot import take_snapshot
from license_client._status import Remarks, describe
from license_client._store import Content
from license_client._transport import Call, Reply
from license_client._verify import verify_decision
from license_client._wiring import connect
from license_client.policy import raised_high_water, state_of
from license_client.testing.clock import NOON
from license_client.testing.vendor import (
    Vendor,
    armored,
    b64,
    compact,
    make_key,
    sign_key_set,
)

VENDOR: Final = Vendor()
NOW: Final = Reading(wall=NOON, boottime=1_000, boot="boot")
CREDENTIALS: Final = Credentials(read_key(make_key(1)), read_email("ada@example.com"))
KEYS: Final = KeyRing(EncryptionKey(bytes(32)), EncryptionKey(bytes([1] * 32)))
SETTINGS: Final = build_settings(
    {
        "product": "demo-product",
        "trust": VENDOR.trust,
        "license_key": make_key(1),
        "email": "ada@example.com",
    }
)
ANCHOR: Final = SETTINGS.anchor
NOTHING: Final = take_snapshot(SETTINGS, Content(None, None), NOW)


class Answering:
    """A way to a server that says one thing."""

    def __init__(self, status: int, body: bytes) -> None:
        self._reply = Reply(status, body, None)

    def send(self, call: Call, deadline: Deadline) -> Reply:  # noqa: ARG002 - whatever is asked
        return self._reply


def _license_key(data: bytes) -> None:
    with suppress(LicenseError):
        once = read_key(_text(data)).reveal()
        assert read_key(once).reveal() == once


def _email(data: bytes) -> None:
    with suppress(LicenseError):
        once = read_email(_text(data))
        assert read_email(once) == once


def _server_url(data: bytes) -> None:
    read_server_url(_text(data), insecure=True)


def _json(data: bytes) -> None:
    with suppress(MalformedError):
        json.dumps(read_object(data), ensure_ascii=False).encode()


def _decision(data: bytes) -> None:
    """Read a token that nobody signed for these credentials: it is never taken."""
    with suppress(LicenseError):
        _verify(_text(data))
        raise AssertionError("an unsigned decision was taken")


def _decision_claims(data: bytes) -> None:
    token = VENDOR.signer.compact("license-decision+jwt", data)
    with suppress(LicenseError):
        _verify(token)
        _use_cache(Document(token, (), "instance", None, None))


def _verify(token: str) -> None:
    verify_decision(
        token, key_set=ANCHOR.current, product=SETTINGS.product, credentials=CREDENTIALS
    )


def _trust_file(data: bytes) -> None:
    load_anchor(data)


def _key_set_payload(data: bytes) -> None:
    signed = sign_key_set(data, VENDOR.roots)
    with suppress(LicenseError):
        load_anchor(compact(signed))
    trust = extend(ANCHOR, [read_object(compact(signed))])
    assert extend(ANCHOR, trust.documents) == trust


def _cache_file(data: bytes) -> None:
    _use_cache(read_document(data, KEYS).document)


def _cache_document(data: bytes) -> None:
    """Read a cache that was sealed with the right key, whatever is in it."""
    assert KEYS.current is not None
    salt, iv = bytes(16), bytes(12)
    header = (KEYS.current.kid, b64(salt), b64(iv))
    sealed = KEYS.current.cipher(salt).encrypt(iv, data, _associated(*header))
    members = {"v": 1, "enc": "A256GCM", **dict(zip(("kid", "salt", "iv"), header, strict=True))}
    document = read_document(compact({**members, "ct": b64(sealed)}), KEYS).document
    assert read_document(write_document(document, KEYS), KEYS).document == document
    _use_cache(document)


def _use_cache(document: Document) -> None:
    """Do what a running program does with what it has read."""
    stored = take_snapshot(SETTINGS, Content(None, document), NOW).stored
    state_of(stored, NOW)
    describe(stored, NOW, Remarks())
    if stored:
        raised_high_water(stored, NOW, wall_agrees=True)


def _license_file(data: bytes) -> None:
    with_file(data, SETTINGS, CREDENTIALS, NOW, NOTHING)


def _license_file_content(data: bytes) -> None:
    _license_file(armored(data))


def _license_file_claims(data: bytes) -> None:
    signed = VENDOR.signer.compact("license-file+jwt", data)
    document = with_file(
        armored(compact({"v": 1, "keyset": [], "file": signed})),
        SETTINGS,
        CREDENTIALS,
        NOW,
        NOTHING,
    )
    assert document is not None
    _use_cache(document)


def _answer(status: int, data: bytes) -> None:
    conversation = Conversation(SETTINGS, Answering(status, data), ANCHOR, Deadline(1))
    conversation.ask("validate", CREDENTIALS, "instance")


def _retry_after_header(data: bytes) -> None:
    seconds = _retry_after(httpx.Headers([(b"retry-after", data)]))
    assert seconds is None or 0 <= seconds <= 3_600


def _settings(data: bytes) -> None:
    """Read lines of `NAME=value`; a name that is no variable is of no interest."""
    pairs = (line.partition("=") for line in _text(data).split("\n"))
    environ = {f"LICENSE_{name}": value for name, _, value in pairs}
    for name in _PATHS & {*environ, "LICENSE_CACHE_DIR"}:  # nowhere near anything that is there
        environ[name] = f"{_NOWHERE}/{environ.get(name, '')}"
    built_in = None if "LICENSE_TRUST_FILE" in environ else VENDOR.trust
    LicenseClient._over(connect(read_settings("demo-product", built_in, environ))).status()


_PATHS: Final = frozenset(
    f"LICENSE_{name}"
    for name in (
        "CACHE_DIR",
        "CA_FILE",
        "CLIENT_CERT",
        "EMAIL_FILE",
        "ENCRYPTION_KEY_FILE",
        "ENCRYPTION_KEY_PREVIOUS_FILE",
        "KEY_FILE",
        "TRUST_FILE",
    )
)
_NOWHERE: Final = Path(__file__).parent / "no such folder"


def _text(data: bytes) -> str:
    """Return any text, lone surrogates included: a program may have read it from anywhere."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape")


# By the name of its folder in `corpus/`.
PARSERS: Final[dict[str, Callable[[bytes], None]]] = {
    "answer": partial(_answer, 200),
    "cache-document": _cache_document,
    "cache-file": _cache_file,
    "decision": _decision,
    "decision-claims": _decision_claims,
    "email": _email,
    "json": _json,
    "key-set-payload": _key_set_payload,
    "license-file": _license_file,
    "license-file-claims": _license_file_claims,
    "license-file-content": _license_file_content,
    "license-key": _license_key,
    "problem": partial(_answer, 503),
    "retry-after": _retry_after_header,
    "server-url": _server_url,
    "settings": _settings,
    "trust-file": _trust_file,
}


def parse(name: str, data: bytes) -> None:
    """Give bytes to one parser.

    Raises:
        Exception: whatever is not the package's own; each is a finding.
    """
    with suppress(LicenseError):
        PARSERS[name](data)
