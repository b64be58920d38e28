"""The key files of a server, read and checked against each other before anything is served."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from license_server.checkpoints import CheckpointSigner
from license_server.decisions import DecisionIssuer
from license_server.errors import ConfigurationError
from license_server.keyset_history import KeySetHistory
from license_server.keyset_steps import DRAFT, KeyFacts
from license_server.license_files import LicenseFileIssuer
from license_server.sealing import Peppers, Sealer
from license_server.secret_files import missing, read_secret
from license_server.settings import Settings
from license_server.signing import AUDIT_CHECKPOINT, DECISION, SigningKey

ROOT_KEY: Final = "root.key"
"""What `init` calls the key that no server needs."""

_Read = TypeVar("_Read")


def load_keysets(path: Path) -> KeySetHistory:
    """Read the key sets, oldest first.

    Raises:
        ConfigurationError: the file is missing, or holds key sets that no client would accept.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(missing(path, "the key set")) from error
    except OSError as error:
        raise ConfigurationError(f"cannot read the key set {path}: {error.strerror}") from error
    return _parse("the key set", path, lambda: KeySetHistory.from_json(content))


def load_issuer(signing_key_file: Path, keysets: KeySetHistory) -> DecisionIssuer:
    """Read the signing key; it is never made here, only by `init`.

    Raises:
        ConfigurationError: the file is missing, garbage or open to other users, or the newest key
            set does not let servers sign decisions with its key.
    """
    key = load_signing_key(signing_key_file)
    content = keysets.newest.content
    published = keysets.require_signing_key(key.kid, DECISION)
    return DecisionIssuer(key, published, content.iss, content.epoch)


def load_file_issuer(signing_key_file: Path, keysets_file: Path) -> LicenseFileIssuer:
    """Read the signing key for license files.

    Raises:
        ConfigurationError: as `load_issuer`, for files.
    """
    key = load_signing_key(signing_key_file)
    return LicenseFileIssuer(key, load_keysets(keysets_file))


def load_checkpoint_signer(signing_key_file: Path, keysets: KeySetHistory) -> CheckpointSigner:
    """Read the signing key for checkpoints of the audit log.

    Raises:
        ConfigurationError: as `load_issuer`, for checkpoints.
    """
    key = load_signing_key(signing_key_file)
    keysets.require_signing_key(key.kid, AUDIT_CHECKPOINT)
    return CheckpointSigner(key, keysets.newest.content.iss)


def load_signing_key(path: Path) -> SigningKey:
    """Read a signing key; it is never made here.

    Raises:
        ConfigurationError: the file is missing, garbage or open to other users.
    """
    pem = read_secret(path, "the signing key")
    return _parse("the signing key", path, lambda: SigningKey.from_pem(pem))


def read_key_facts(settings: Settings) -> KeyFacts:
    """Read what is to be known of a server's keys.

    Raises:
        ConfigurationError: a file is missing or unusable.
    """
    return KeyFacts(
        newest=load_keysets(settings.keyset_file).newest.content,
        signing_kid=load_signing_key(settings.signing_key_file).kid,
        has_draft=(settings.folder / DRAFT).exists(),
        root_file=ROOT_KEY if (settings.folder / ROOT_KEY).exists() else None,
    )


def load_peppers(path: Path) -> Peppers:
    """Read the peppers.

    Raises:
        ConfigurationError: the file is missing, garbage or open to other users.
    """
    content = read_secret(path, "the peppers")
    return _parse("the peppers", path, lambda: Peppers.from_json(content))


def load_sealer(path: Path) -> Sealer:
    """Read the key of sealed columns.

    Raises:
        ConfigurationError: the file is missing, garbage or open to other users.
    """
    content = read_secret(path, "the sealing key")
    return _parse("the sealing key", path, lambda: Sealer.from_hex(content))


def _parse(what: str, path: Path, read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except ConfigurationError as error:
        raise ConfigurationError(f"{what} {path}: {error}") from error
