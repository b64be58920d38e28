"""The chains of key sets that every verifier refuses."""

from cases.actors import (
    NEXT,
    ROOT_A,
    ROOT_B,
    ROOT_C,
    ROOT_D,
    SIGNER,
    STRANGER,
    key,
    keyset_payload,
    octets,
    root,
)
from cases.confirmed import Case, refusal, require_detail
from cases.keyset_case import FIRST, keyset_at, member
from cases.variants import each_left_out, each_replaced
from reference import decision
from reference.encoding import JsonObject, b64url, compact
from reference.keyset import read_chain, signature_entry, signed
from reference.signature import SMALL_ORDER_Y, header, kid_of

TWO = keyset_at(2, [ROOT_A])
TO_B = keyset_at(2, [ROOT_B], signers=[ROOT_A, ROOT_B])
PRIME = 2**255 - 19


def refused(
    name: str,
    offered: list[JsonObject],
    slug: str,
    trust: JsonObject = FIRST,
    stored: list[JsonObject] | None = None,
) -> Case:
    """Build a case."""
    found = refusal(lambda: read_chain(trust, stored or [], offered), "KEYSET_REJECTED")
    return {
        "name": name,
        "trust": trust,
        "stored": stored or [],
        "offered": offered,
        **require_detail(name, found, slug),
    }


def _epochs() -> list[Case]:
    other = keyset_at(2, [ROOT_A], keys=[key(NEXT)])
    three = keyset_at(3, [ROOT_A])
    lower_than_trust = keyset_at(1, [ROOT_A])
    return [
        refused("lower than the shipped set", [lower_than_trust], "epoch-lower", TWO),
        refused("lower than the stored set", [TWO], "epoch-lower", stored=[three]),
        refused("offered in falling order", [three, TWO], "epoch-lower"),
        refused("stored in falling order", [], "epoch-lower", stored=[three, TWO]),
        refused("equal epoch, other keys", [other], "epoch-equal", TWO),
        refused("equal epoch, another spelling", [_spaced()], "epoch-equal", TWO),
        refused("equal epoch stored, other keys", [], "epoch-equal", TWO, [other]),
        refused("of another server", [keyset_at(2, [ROOT_A], iss="ls_ff")], "issuer"),
        refused("v is 2", [keyset_at(2, [ROOT_A], v=2)], "version"),
    ]


def _spaced() -> JsonObject:
    payload = keyset_payload(2, [root(ROOT_A)], 1, [key(SIGNER)])
    return signed(compact(payload).replace(",", ", "), [ROOT_A])


def _signatures() -> list[Case]:
    skipped = keyset_at(3, [ROOT_B])
    two_of_three = keyset_at(2, [ROOT_A, ROOT_B, ROOT_C], 2, signers=[ROOT_A, ROOT_B])
    doubled = member(
        keyset_at(3, [ROOT_A, ROOT_B, ROOT_C], 2, signers=[ROOT_A]),
        "signatures",
        lambda entries: [*entries, *entries],
    )
    raised = keyset_at(2, [ROOT_A, ROOT_B], 2, signers=[ROOT_A])
    return [
        refused("no signature", [keyset_at(2, [ROOT_A], signers=[])], "signatures-old"),
        refused("a stranger's", [keyset_at(2, [ROOT_A], signers=[ROOT_B])], "signatures-old"),
        refused("new root without the old", [keyset_at(2, [ROOT_B])], "signatures-old"),
        refused("new root without the new", [_old_alone()], "signatures-new"),
        refused("a root change was skipped", [skipped], "signatures-old"),
        refused("a root change was skipped in the cache", [], "signatures-old", stored=[skipped]),
        refused("the old root comes back", [TO_B, keyset_at(3, [ROOT_A])], "signatures-old"),
        refused("one signature of two", [two_of_three, doubled], "signatures-old"),
        refused("threshold raised by one root alone", [raised], "signatures-new"),
        refused("a signing key signs the set", [_by_signing_key()], "signatures-old"),
        refused("signature over the payload alone", [_over_payload()], "signatures-old"),
        refused("payload changed after signing", [_exchanged()], "signatures-old"),
        refused("the second of two is bad", [TWO, keyset_at(3, [ROOT_B])], "signatures-old"),
        refused("trust that its roots did not sign", [], "signatures-new", _unsigned_trust()),
        refused("trust signed below its threshold", [], "signatures-new", _short_trust()),
    ]


def _old_alone() -> JsonObject:
    return keyset_at(2, [ROOT_B], signers=[ROOT_A])


def _by_signing_key() -> JsonObject:
    return keyset_at(2, [ROOT_A], signers=[SIGNER])


def _over_payload() -> JsonObject:
    body = str(TWO["payload"])
    entry = signature_entry(body, ROOT_A) | {"signature": b64url(ROOT_A.sign(body.encode()))}
    return TWO | {"signatures": [entry]}


def _exchanged() -> JsonObject:
    return TWO | {"payload": keyset_at(2, [ROOT_A], keys=[key(STRANGER)])["payload"]}


def _unsigned_trust() -> JsonObject:
    return keyset_at(1, [ROOT_A], signers=[ROOT_D])


def _short_trust() -> JsonObject:
    return keyset_at(1, [ROOT_A, ROOT_B], 2, signers=[ROOT_B])


def _headers() -> list[Case]:
    with_space = header(ROOT_A.kid, "license-keyset+jwt").replace(b":", b": ", 1)
    other_alg = header(ROOT_A.kid, "license-keyset+jwt").replace(b"EdDSA", b"none")
    return [
        refused("typ of a decision", [signed(_payload(), [ROOT_A], decision.TYP)], "header"),
        refused("a space in the header", [_protected(with_space)], "header"),
        refused("alg none", [_protected(other_alg)], "header"),
        refused("header of a stranger malformed too", [_with_entry({"protected": ""})], "header"),
        refused("padding in the header", [_suffixed("protected", "=")], "base64url"),
        refused("padding in the signature", [_suffixed("signature", "==")], "base64url"),
        refused(
            "signature of 63 bytes", [_with_entry({"signature": b64url(bytes(63))})], "structure"
        ),
        refused("signature missing", [_without_signature()], "structure"),
        refused("padding in the payload", [TWO | {"payload": f"{TWO['payload']}="}], "base64url"),
    ]


def _payload() -> JsonObject:
    return keyset_payload(2, [root(ROOT_A)], 1, [key(SIGNER)])


def _protected(head: bytes) -> JsonObject:
    signing_input = f"{b64url(head)}.{TWO['payload']}".encode()
    entry = {"protected": b64url(head), "signature": b64url(ROOT_A.sign(signing_input))}
    return TWO | {"signatures": [entry]}


def _with_entry(changes: JsonObject) -> JsonObject:
    stranger = signature_entry(str(TWO["payload"]), STRANGER)
    return member(TWO, "signatures", lambda entries: [*entries, stranger | changes])


def _suffixed(name: str, suffix: str) -> JsonObject:
    return member(
        TWO, "signatures", lambda entries: [entries[0] | {name: f"{entries[0][name]}{suffix}"}]
    )


def _without_signature() -> JsonObject:
    return member(TWO, "signatures", lambda entries: [{"protected": entries[0]["protected"]}])


def _thresholds() -> list[Case]:
    return [
        refused("threshold 0", [keyset_at(2, [ROOT_A], 0)], "threshold"),
        refused("threshold above the number of roots", [keyset_at(2, [ROOT_A], 2)], "threshold"),
        refused("threshold -1", [keyset_at(2, [ROOT_A], -1)], "structure"),
        refused("no roots", [keyset_at(2, [], 0, signers=[ROOT_A])], "threshold"),
        refused("trust with threshold 0", [], "threshold", keyset_at(1, [ROOT_A], 0, signers=[])),
    ]


def _with_roots(*roots: JsonObject, threshold: int = 1) -> JsonObject:
    return signed(keyset_payload(2, list(roots), threshold, [key(SIGNER)]), [ROOT_A])


def _with_keys(*keys: JsonObject) -> JsonObject:
    return signed(keyset_payload(2, [root(ROOT_A)], 1, list(keys)), [ROOT_A])


def _keys() -> list[Case]:
    a, signer = root(ROOT_A), key(SIGNER)
    renamed = a | {"kid": "0123456789abcdef"}
    short = octets("short key", 31)
    return [
        refused("the same root twice", [_with_roots(a, a, threshold=2)], "duplicate-key"),
        refused("one root under two kids", [_with_roots(a, renamed, threshold=2)], "kid"),
        refused("the same signing key twice", [_with_keys(signer, signer)], "duplicate-key"),
        refused("a root that is also a signing key", [_with_keys(key(ROOT_A))], "duplicate-key"),
        refused("kid of another key", [_with_keys(signer | {"kid": NEXT.kid})], "kid"),
        refused("kid in capitals", [_with_keys(signer | {"kid": SIGNER.kid.upper()})], "kid"),
        refused("kid of 15 digits", [_with_keys(signer | {"kid": SIGNER.kid[:-1]})], "kid"),
        refused("a key of 31 bytes", [_with_keys(signer | _named(short))], "public-key"),
        refused(
            "a key with padding", [_with_keys(signer | {"pub": f"{signer['pub']}="})], "base64url"
        ),
        refused(
            "a key as hexadecimal",
            [_with_keys(signer | {"pub": SIGNER.public.hex()})],
            "public-key",
        ),
        refused("an unknown status", [_with_keys(signer | {"status": "retired"})], "structure"),
        refused("use is a string", [_with_keys(signer | {"use": decision.USE})], "structure"),
        refused("not_before is true", [_with_keys(signer | {"not_before": True})], "structure"),
        refused("not_after is null", [_with_keys(signer | {"not_after": None})], "structure"),
        refused("a key that is a string", [_with_keys(*_strings())], "structure"),
    ]


def _spelled(suffix: str) -> JsonObject:
    return {"pub": b64url(SIGNER.public) + suffix}


def _strings() -> list[JsonObject]:
    return ["a string"]  # type: ignore[list-item]  # the case is about the wrong type


def _named(public: bytes) -> JsonObject:
    return {"kid": kid_of(public), "pub": b64url(public)}


def _weak_keys() -> list[Case]:
    encodings = [(y, sign) for y in sorted(SMALL_ORDER_Y) for sign in (0, 1)]
    beyond = [(y + PRIME, sign) for y in (0, 1) for sign in (0, 1)]
    return [case for y, sign in [*encodings, *beyond] for case in _weak(y, sign)]


def _weak(y: int, sign: int) -> list[Case]:
    public = (y | sign << 255).to_bytes(32, "little")
    named, text = _named(public), public.hex()
    as_root = _with_roots(root(ROOT_A), named)
    return [
        refused(f"small-order signing key {text}", [_with_keys(key(SIGNER) | named)], "public-key"),
        refused(f"small-order root {text}", [as_root], "public-key"),
    ]


def _structures() -> list[Case]:
    wrong: dict[str, list[object]] = {
        "v": [True, "1"],
        "iss": [7, ""],
        "epoch": [0, True, "2", 2**31],
        "issued": [-1, None],
        "expires": ["never", None],
        "threshold": [True, "1"],
        "roots": [{}, [ROOT_A.kid]],
        "keys": [{}, None],
    }
    payload = _payload()
    documents = each_left_out(TWO, "document")
    payloads = each_left_out(payload, "payload") | each_replaced(payload, wrong)
    return [
        *(refused(name, [cut], "structure") for name, cut in documents.items()),
        *(refused(name, [_signed(broken)], "structure") for name, broken in payloads.items()),
    ]


def _texts() -> list[Case]:
    text = compact(_payload())
    wrong = {
        "a member twice": text.replace('"v":1', '"v":1,"v":1'),
        "an epoch with a fraction": text.replace('"epoch":2', '"epoch":2.0'),
        "NaN": text.replace('"threshold":1', '"threshold":NaN'),
        "cut off": text[:-1],
        "an array": f"[{text}]",
    }
    return [refused(name, [_signed(broken)], "json") for name, broken in wrong.items()]


def _signed(payload: JsonObject | str) -> JsonObject:
    return signed(payload, [ROOT_A])


def cases() -> list[Case]:
    """List them."""
    return [
        *_epochs(),
        *_signatures(),
        *_headers(),
        *_thresholds(),
        *_keys(),
        *_weak_keys(),
        *_structures(),
        *_texts(),
    ]
