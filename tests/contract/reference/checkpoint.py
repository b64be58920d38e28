"""Checkpoints of the audit log: how one is written, and how it is read."""

import re

from reference.decision import jws, opened
from reference.encoding import JsonObject, Members, compact
from reference.flaw import rejecting, require
from reference.keyset import read_chain
from reference.signature import Pair, header

USE = "audit-checkpoint"
TYP = f"{USE}+jwt"


def checkpoint(claims: JsonObject | str, signer: Pair, typ: str = TYP) -> str:
    """Sign claims as a checkpoint."""
    text = claims if isinstance(claims, str) else compact(claims)
    return jws(header(signer.kid, typ), text.encode(), signer)


def read_checkpoint(text: str, trust: object) -> JsonObject:
    """Verify a checkpoint by a key set and return its claims.

    Raises:
        RejectedError: with the slug of the first rule that is broken.
    """
    keyset = read_chain(trust)
    with rejecting("CHECKPOINT_REJECTED"):
        claims, key = opened(text, keyset, USE)
        members = Members(claims, "claims")
        version = members.integer("v")
        members.text("iss")
        members.integer("seq", high=2**53 - 1)
        require(re.fullmatch("[0-9a-f]{64}", members.text("hash")), "claims")
        at = members.integer("ts")
        require(version == 1, "version")
        require(key.not_before <= at < key.not_after, "kid-window")
        require(claims["iss"] == keyset.iss, "issuer")
    return claims
