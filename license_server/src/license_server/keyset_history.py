"""The key sets of a server in their order, and what each client needs of them."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Self

from license_server.keysets import KeySetRejected, PublishedKey, SignedKeySet


class KeySetHistory:
    """The key sets of a server, each a sound successor of the one before.

    Args:
        sets: oldest first, at least one.

    Raises:
        KeySetRejected: no client would walk from the first to the last.
    """

    def __init__(self, sets: Sequence[SignedKeySet]) -> None:
        if not sets:
            raise KeySetRejected("there is no key set")
        sets[0].require_signed_by(sets[0].content)
        self._sets = tuple(sets)
        self._needed: list[SignedKeySet] = []
        for older, newer in pairwise(sets):
            require_successor(older, newer)
            if newer.content.changes_roots_of(older.content) and newer is not self.newest:
                self._needed.append(newer)
        self._needed.append(self.newest)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a key set file: a JSON array of documents, oldest first.

        Raises:
            KeySetRejected: it is not that, or no client would accept it.
        """
        try:
            documents = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise KeySetRejected("it is no JSON") from error
        if not isinstance(documents, list):
            raise KeySetRejected("it is no array of key sets")
        return cls([SignedKeySet.read(document) for document in documents])

    def to_json(self) -> str:
        """Return the key set file."""
        return json.dumps([signed.document() for signed in self._sets], indent=2) + "\n"

    @property
    def sets(self) -> tuple[SignedKeySet, ...]:
        """All of them, oldest first."""
        return self._sets

    @property
    def newest(self) -> SignedKeySet:
        """The key set that holds now."""
        return self._sets[-1]

    def above(self, epoch: int) -> tuple[Mapping[str, object], ...]:
        """Return what a client at `epoch` needs, oldest first: changes of roots, then the newest.

        Empty if it is up to date.
        """
        return tuple(s.document() for s in self._needed if s.content.epoch > epoch)

    def require_signing_key(self, kid: str, kind: str) -> PublishedKey:
        """Return the key `kid` as published.

        Raises:
            KeySetRejected: the newest key set does not let servers sign `kind` with it.
        """
        published = self.newest.content.published(kid)
        if published is None or not published.may_sign(kind):
            raise KeySetRejected(
                f"the newest key set does not list the signing key {kid} as active for {kind}: "
                "put the signing key that belongs to it in place"
            )
        return published


def require_successor(older: SignedKeySet, newer: SignedKeySet) -> None:
    """Do nothing if a client that trusts `older` would take `newer`.

    Raises:
        KeySetRejected: it would not.
    """
    before, after = older.content, newer.content
    if after.epoch < before.epoch or after.iss != before.iss:
        raise KeySetRejected(f"key set {after.epoch} is no successor of key set {before.epoch}")
    if after.epoch == before.epoch and newer.payload != older.payload:
        raise KeySetRejected(f"there are two different key sets of epoch {after.epoch}")
    newer.require_signed_by(before)
    if after.changes_roots_of(before):
        newer.require_signed_by(after)
