"""`checkpoint.json`: heads of the audit log, signed and read again."""

import hashlib

from cases.actors import (
    BOUNDED,
    HOUR,
    ISS,
    NEXT,
    NOW,
    RETIRING,
    REVOKED,
    ROOT_A,
    SIGNER,
    STRANGER,
    TRUST_EPOCH,
    call,
    key,
    yes,
)
from cases.confirmed import FORMAT, Case, DisagreementError, refusal, require_detail
from cases.file_case import file_set, filed
from cases.variants import each_left_out, each_replaced
from reference.checkpoint import USE, checkpoint, read_checkpoint
from reference.decision import MAX_TOKEN_BYTES, token
from reference.encoding import JsonObject, b64url, compact, from_b64url

PAIRS = (ROOT_A, SIGNER, RETIRING, REVOKED, BOUNDED, NEXT, STRANGER)
TRUST = file_set(
    TRUST_EPOCH,
    [
        key(SIGNER) | {"use": ["license-decision", "license-file", USE]},
        key(RETIRING, "verify_only", use=USE),
        key(REVOKED, "revoked", use=USE),
        key(BOUNDED, use=USE) | {"not_before": NOW, "not_after": NOW + HOUR},
        key(NEXT),
    ],
)
CLAIMS: JsonObject = {
    "hash": hashlib.sha256(b"entry 1041").hexdigest(),
    "iss": ISS,
    "seq": 1041,
    "ts": NOW,
    "v": 1,
}
EMPTY = CLAIMS | {"seq": 0, "hash": "0" * 64}
GOOD = checkpoint(CLAIMS, SIGNER)


def _accepted(name: str, text: str, claims: JsonObject) -> Case:
    if (found := read_checkpoint(text, TRUST)) != claims:
        raise DisagreementError(f"{name}: the reference reads {found}")
    return {"name": name, "token": text, "claims": claims}


def _refused(name: str, text: str, slug: str) -> Case:
    found = refusal(lambda: read_checkpoint(text, TRUST), "")
    return {"name": name, "token": text, **require_detail(name, found, slug)}


def _reads() -> list[Case]:
    last = CLAIMS | {"ts": NOW + HOUR - 1}
    more = CLAIMS | {"new": {"later": True}}
    return [
        _accepted("as the server writes it", GOOD, CLAIMS),
        _accepted("of an empty log", checkpoint(EMPTY, SIGNER), EMPTY),
        _accepted("by a key that is verify_only", checkpoint(CLAIMS, RETIRING), CLAIMS),
        _accepted("in the first second of its key", checkpoint(CLAIMS, BOUNDED), CLAIMS),
        _accepted("in the last second of its key", checkpoint(last, BOUNDED), last),
        _accepted("a claim that is not known yet", checkpoint(more, SIGNER), more),
    ]


def _forms() -> list[Case]:
    head, payload, signature = GOOD.split(".")
    raw = bytearray(from_b64url(signature))
    raw[40] ^= 16
    padded = checkpoint({**CLAIMS, "new": "x" * MAX_TOKEN_BYTES}, SIGNER)
    return [
        _refused("more than 8192 characters", padded, "too-long"),
        _refused("a letter beyond ASCII", GOOD.replace("e", "\u0435", 1), "not-ascii"),
        _refused("empty", "", "segments"),
        _refused("two segments", f"{head}.{payload}", "segments"),
        _refused("four segments", f"{GOOD}.{signature}", "segments"),
        _refused("padding after the signature", f"{GOOD}==", "base64url"),
        _refused("a newline at the end", f"{GOOD}\n", "base64url"),
        _refused("a decision", token(yes(call()), SIGNER), "header"),
        _refused("a license file", filed(CLAIMS), "header"),
        _refused("typ JWT", checkpoint(CLAIMS, SIGNER, "JWT"), "header"),
        _refused("a key that no set holds", checkpoint(CLAIMS, STRANGER), "kid-unknown"),
        _refused("the root key", checkpoint(CLAIMS, ROOT_A), "kid-unknown"),
        _refused("a revoked key", checkpoint(CLAIMS, REVOKED), "kid-revoked"),
        _refused("a key for decisions alone", checkpoint(CLAIMS, NEXT), "kid-use"),
        _refused("a bit flipped", f"{head}.{payload}.{b64url(bytes(raw))}", "signature"),
        _refused("no signature", f"{head}.{payload}.", "signature"),
    ]


def _content() -> list[Case]:
    text = compact(CLAIMS)
    wrong: dict[str, list[object]] = {
        "v": [True, "1"],
        "iss": [None, ""],
        "seq": [True, "1041", -1],
        "hash": [None, "0" * 63, "A" * 64, "0" * 65],
        "ts": [True, None, -1],
    }
    early, late = CLAIMS | {"ts": NOW - 1}, CLAIMS | {"ts": NOW + HOUR}
    broken = each_left_out(CLAIMS) | each_replaced(CLAIMS, wrong)
    return [
        _refused("a claim twice", _written(text, '"v":1', '"v":1,"v":1'), "json"),
        _refused("seq with a fraction", _written(text, "1041", "1041.0"), "json"),
        _refused("an array", checkpoint(f"[{text}]", SIGNER), "json"),
        _refused("cut off", checkpoint(text[:-1], SIGNER), "json"),
        *(_refused(name, checkpoint(c, SIGNER), "claims") for name, c in broken.items()),
        _refused("v is 2", checkpoint(CLAIMS | {"v": 2}, SIGNER), "version"),
        _refused("one second before its key's time", checkpoint(early, BOUNDED), "kid-window"),
        _refused("at the end of its key's time", checkpoint(late, BOUNDED), "kid-window"),
        _refused("of another server", checkpoint(CLAIMS | {"iss": "ls_ff"}, SIGNER), "issuer"),
    ]


def _written(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, old
    return checkpoint(text.replace(old, new), SIGNER)


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "keys": {pair.name: pair.described() for pair in PAIRS},
        "signing": SIGNER.described(),
        "trust": TRUST,
        "accepted": _reads(),
        "refused": [*_forms(), *_content()],
        "written": [
            {"name": name, "seq": claims["seq"], "hash": claims["hash"], "now": NOW}
            | {"iss": ISS, "token": checkpoint(claims, SIGNER)}
            for name, claims in (
                ("a head, to the byte", CLAIMS),
                ("an empty log, to the byte", EMPTY),
            )
        ],
    }
