"""Installing a license file: from its bytes to the document that the cache shall hold after it."""

from pathlib import Path

from license_client._cache import Document
from license_client._clock import Reading
from license_client._license_file import MAX_BYTES, rejected_file, verify_file
from license_client._option_values import read_path
from license_client._placement import new_document, with_trust
from license_client._settings import Settings
from license_client._snapshot import Snapshot
from license_client._verify import Credentials
from license_client.errors import ConfigurationError
from license_client.policy import HighWater, mark_of


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


def with_file(
    file: bytes,
    settings: Settings,
    credentials: Credentials,
    installed: Reading,
    known: Snapshot,
) -> Document | None:
    """Verify a license file and put it in the place of what is older.

    Files have no request that would order them, only their time: one that was kept from better
    days must not take the place of what the vendor has said since, yes or no.

    Args:
        file: as the vendor made it.
        settings: of the program.
        credentials: that are configured; the file must be about them.
        installed: the clocks now.
        known: what is stored.

    Raises:
        DecisionRejectedError: it is not for us, or what is stored is as new, or newer.
        KeySetRejectedError: the key sets in it are not the roots'.
    """
    document = known.document
    filed = verify_file(
        file,
        trust=known.trust,
        product=settings.product,
        credentials=credentials,
        instance_id=settings.instance_id or (document.instance_id if document else None),
    )
    if document and document.decision == filed.token:
        return with_trust(filed.trust, known)
    issued_at = filed.decision.issued_at
    if known.stored and issued_at <= known.stored.decision.issued_at:
        raise rejected_file("not-newer")
    return (document or new_document())._replace(
        decision=filed.token,
        key_sets=filed.trust.documents,
        received=None,
        high_water=HighWater(issued_at, mark_of(installed)),
    )
