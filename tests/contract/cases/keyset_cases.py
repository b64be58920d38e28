"""`keyset.json`: chains of key sets from `trust.json` on."""

from cases import keyset_refused
from cases.actors import (
    ISS,
    NEXT,
    NOW,
    ROOT_A,
    ROOT_B,
    ROOT_C,
    ROOT_D,
    SIGNER,
    key,
    keyset_payload,
    root,
)
from cases.confirmed import FORMAT, Case
from cases.keyset_case import FIRST, keyset_at, member
from reference.encoding import JsonObject
from reference.keyset import read_chain, signed

PAIRS = (ROOT_A, ROOT_B, ROOT_C, ROOT_D, SIGNER, NEXT)


def _accepted(
    name: str,
    trust: JsonObject,
    offered: list[JsonObject],
    stored: list[JsonObject] | None = None,
) -> Case:
    newest = read_chain(trust, stored or [], offered)
    return {
        "name": name,
        "trust": trust,
        "stored": stored or [],
        "offered": offered,
        "epoch": newest.epoch,
        "threshold": newest.threshold,
        "roots": list(newest.roots),
        "keys": {kid: key.status for kid, key in newest.keys.items()},
    }


def _rotations() -> list[Case]:
    two = keyset_at(2, [ROOT_A], keys=[key(SIGNER, "verify_only"), key(NEXT)])
    three = keyset_at(3, [ROOT_A], keys=[key(SIGNER, "revoked"), key(NEXT)])
    return [
        _accepted("the shipped set alone", FIRST, []),
        _accepted("a new signing key", FIRST, [two]),
        _accepted("a signing key is revoked", FIRST, [two, three]),
        _accepted("sets that change no root may be skipped", FIRST, [three]),
        _accepted("the same set again", FIRST, [FIRST, two, two, three]),
        _accepted("stored, then a later one is offered", FIRST, [three], [two]),
        _accepted("stored, then the same one is offered", FIRST, [two], [two]),
        _accepted("no keys at all", FIRST, [keyset_at(2, [ROOT_A], keys=[])]),
        _accepted("expired years ago", FIRST, [keyset_at(2, [ROOT_A], expires=NOW - 10**8)]),
    ]


def _root_changes() -> list[Case]:
    to_b = keyset_at(2, [ROOT_B], signers=[ROOT_A, ROOT_B])
    b_again = keyset_at(3, [ROOT_B])
    to_two_of_three = keyset_at(4, [ROOT_B, ROOT_C, ROOT_D], 2, signers=[ROOT_B, ROOT_C])
    to_c_d = keyset_at(6, [ROOT_C, ROOT_D], 1, signers=[ROOT_C, ROOT_D])
    chain = [to_b, to_two_of_three, to_c_d]
    newer_trust = keyset_at(5, [ROOT_B, ROOT_C, ROOT_D], 2, signers=[ROOT_C, ROOT_D])
    return [
        _accepted("a new root, signed by old and new", FIRST, [to_b]),
        _accepted("the new root signs alone afterwards", FIRST, [to_b, b_again]),
        _accepted("several root changes", FIRST, chain),
        _accepted("two of three, then others of the three sign", to_two_of_three, [newer_trust]),
        _accepted("an older trust walks the stored chain", FIRST, [], chain),
        _accepted("a newer trust leaves out older stored sets", newer_trust, [], chain),
        _accepted("a newer trust is the newest", newer_trust, [], [to_b, to_two_of_three]),
    ]


def _lenient() -> list[Case]:
    two = keyset_at(2, [ROOT_A])
    stranger = keyset_at(2, [ROOT_A], signers=[ROOT_C, ROOT_A])
    broken = member(two, "signatures", lambda entries: [_flipped(entries[0]), *entries])
    twice = member(two, "signatures", lambda entries: [*entries, *entries])
    unlisted_use = keyset_at(2, [ROOT_A], keys=[key(SIGNER, use="something-new")])
    extended = two | {"comment": "outside"}
    payload = keyset_payload(2, [root(ROOT_A) | {"new": 1}], 1, [key(SIGNER) | {"new": {}}])
    return [
        _accepted("a signature of a root that is not listed is ignored", FIRST, [stranger]),
        _accepted("a signature that does not verify is ignored", FIRST, [broken]),
        _accepted("the same signature twice counts once", FIRST, [twice]),
        _accepted("a use that is not known yet", FIRST, [unlisted_use]),
        _accepted("a member of the document that is not known yet", FIRST, [extended]),
        _accepted("members not known yet", FIRST, [signed(payload | {"new": []}, [ROOT_A])]),
        _accepted("the highest epoch", FIRST, [keyset_at(2**31 - 1, [ROOT_A])]),
    ]


def _flipped(entry: JsonObject) -> JsonObject:
    signature = str(entry["signature"])
    return entry | {"signature": ("B" if signature[0] == "A" else "A") + signature[1:]}


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "keys": {pair.name: pair.described() for pair in PAIRS},
        "iss": ISS,
        "accepted": [*_rotations(), *_root_changes(), *_lenient()],
        "refused": keyset_refused.cases(),
    }
