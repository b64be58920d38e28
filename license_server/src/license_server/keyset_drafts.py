"""Drafts of the next key set: what the roots are asked to sign.

Pure. A draft is a whole key set of the next epoch; further changes go on from it.
"""

from datetime import datetime, timedelta
from typing import Final

from license_server.errors import ConfigurationError
from license_server.keysets import KeySet, KeyStatus, PublishedKey, Root
from license_server.signing import AUDIT_CHECKPOINT, DECISION, LICENSE_FILE

SIGNING_KEY_LIFETIME: Final = timedelta(days=3 * 365)
KEY_SET_LIFETIME: Final = timedelta(days=2 * 365)
"""Past it clients only warn (contract, "Key set")."""
USES: Final = (DECISION, LICENSE_FILE, AUDIT_CHECKPOINT)
"""What a signing key of this server signs."""
_EARLIER: Final = timedelta(seconds=300)
"""A key is valid from a little before its making, as far as a clock may be off."""


def published(key: Root, now: datetime) -> PublishedKey:
    """Return a new signing key as a key set lists it."""
    return PublishedKey(
        kid=key.kid,
        pub=key.pub,
        use=USES,
        not_before=int((now - _EARLIER).timestamp()),
        not_after=int((now + SIGNING_KEY_LIFETIME).timestamp()),
        status=KeyStatus.ACTIVE,
    )


def successor(newest: KeySet, now: datetime) -> KeySet:
    """Return the key set of the next epoch, as the newest is, with a life of its own."""
    return newest.model_copy(
        update={
            "epoch": newest.epoch + 1,
            "issued": int(now.timestamp()),
            "expires": int((now + KEY_SET_LIFETIME).timestamp()),
        }
    )


def with_key(draft: KeySet, key: Root, now: datetime) -> KeySet:
    """Return the draft with a new signing key, beside those that there are."""
    return draft.model_copy(update={"keys": (*draft.keys, published(key, now))})


def with_status(draft: KeySet, kid: str, status: KeyStatus) -> KeySet:
    """Return the draft with another status of a signing key.

    Raises:
        ConfigurationError: there is no such key, a revoked one would come back, or none that
            signs would be left.
    """
    listed = draft.published(kid)
    if listed is None:
        raise ConfigurationError(f"the key set lists no signing key {kid}: see `keys list`")
    if listed.status is KeyStatus.REVOKED and status is not KeyStatus.REVOKED:
        raise ConfigurationError(f"the key {kid} is revoked for good: make a new one")
    changed = listed.model_copy(update={"status": status})
    keys = tuple(changed if key.kid == kid else key for key in draft.keys)
    if not any(key.may_sign(DECISION) for key in keys):
        raise ConfigurationError("no key that signs would be left: run `keys new` first")
    return draft.model_copy(update={"keys": keys})


def with_roots(
    draft: KeySet, added: tuple[Root, ...], removed: frozenset[str], threshold: int | None
) -> KeySet:
    """Return the draft with other roots; the old ones have to sign that too.

    Raises:
        ConfigurationError: a root is unknown or there already, or too few would be left.
    """
    known = {root.kid for root in draft.roots}
    if removed - known or known & {root.kid for root in added}:
        raise ConfigurationError("--remove-root names a present root, --add-root a new one")
    roots = (*(root for root in draft.roots if root.kid not in removed), *added)
    needed = draft.threshold if threshold is None else threshold
    if not 1 <= needed <= len(roots):
        raise ConfigurationError(f"a threshold from 1 to {len(roots)} is expected: as many roots")
    return draft.model_copy(update={"roots": roots, "threshold": needed})
