"""How the key sets of `keyset.json` are written."""

from collections.abc import Callable, Sequence
from typing import cast

from cases.actors import ROOT_A, SIGNER, key, keyset_payload, root
from reference.encoding import JsonObject
from reference.keyset import signed
from reference.signature import Pair


def keyset_at(
    epoch: int,
    roots: Sequence[Pair],
    threshold: int = 1,
    *,
    signers: Sequence[Pair] | None = None,
    keys: list[JsonObject] | None = None,
    **changes: object,
) -> JsonObject:
    """Write a key set that its own roots sign unless other signers are named."""
    listed = [key(SIGNER)] if keys is None else keys
    payload = keyset_payload(epoch, [root(pair) for pair in roots], threshold, listed)
    return signed(payload | changes, roots if signers is None else signers)


FIRST = keyset_at(1, [ROOT_A])


def member(
    document: JsonObject, name: str, change: Callable[[list[JsonObject]], object]
) -> JsonObject:
    """Replace an array of a document."""
    return document | {name: change(cast("list[JsonObject]", document[name]))}
