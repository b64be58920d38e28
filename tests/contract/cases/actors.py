"""Who plays in the vectors: key pairs, a shipped key set, two owners, requests and claims."""

import hashlib

from reference import keyset
from reference.decision import USE, Call, key_binding, owner_binding, request_hash
from reference.encoding import JsonObject, b64url, compact
from reference.license_key import ALPHABET, whole_key
from reference.signature import Pair

HOUR = 3600
DAY = 86400
NOW = 1_800_000_000  # 2027-01-15T08:00:00Z
ISS = "ls_00112233445566aa"
PRODUCT = "db-api"
INSTANCE = "6f1c1a2e-58f3-4c0e-9a35-0d6f2b7c9e11"

ROOT_A, ROOT_B, ROOT_C, ROOT_D = (Pair(f"root {name}") for name in "ABCD")
SIGNER = Pair("signer")
RETIRING = Pair("signer that is verify_only")
REVOKED = Pair("signer that is revoked")
FILE_ONLY = Pair("signer of license files")
BOUNDED = Pair("signer used for one hour")
NEXT = Pair("signer of the next epoch")
STRANGER = Pair("signer of a fake server")


def octets(label: str, length: int) -> bytes:
    """Make bytes that look random and are the same in every run."""
    return hashlib.shake_256(f"license vectors, {label}".encode()).digest(length)


def license_key(label: str) -> str:
    """Make the 30 symbols of a key."""
    return whole_key("".join(ALPHABET[octet & 31] for octet in octets(f"key {label}", 26)))


KEY = license_key("of the owner")
EMAIL = "ada@example.com"
OTHER_KEY = license_key("of somebody else")
OTHER_EMAIL = "grace@example.com"
SUB = "lic_" + "".join(ALPHABET[octet & 31] for octet in octets("license id", 26)).lower()


def root(pair: Pair) -> JsonObject:
    """List a root in a key set."""
    return {"kid": pair.kid, "pub": b64url(pair.public)}


def key(
    pair: Pair, status: str = "active", *, use: str = USE, since: int = NOW - DAY, days: int = 800
) -> JsonObject:
    """List a signing key in a key set."""
    return {
        "kid": pair.kid,
        "pub": b64url(pair.public),
        "use": [use],
        "not_before": since,
        "not_after": since + days * DAY,
        "status": status,
    }


def keyset_payload(
    epoch: int, roots: list[JsonObject], threshold: int, keys: list[JsonObject]
) -> JsonObject:
    """Write the payload of a key set."""
    return {
        "v": 1,
        "iss": ISS,
        "epoch": epoch,
        "issued": NOW - DAY + epoch,
        "expires": NOW + 365 * DAY + epoch,
        "threshold": threshold,
        "roots": roots,
        "keys": keys,
    }


BOUNDED_KEY = key(BOUNDED) | {"not_before": NOW, "not_after": NOW + HOUR}
TRUST_KEYS = [
    key(SIGNER),
    key(RETIRING, "verify_only"),
    key(REVOKED, "revoked"),
    key(FILE_ONLY, use="license-file"),
    BOUNDED_KEY,
]
TRUST_EPOCH = 3
TRUST = keyset.signed(keyset_payload(TRUST_EPOCH, [root(ROOT_A)], 1, TRUST_KEYS), [ROOT_A])


def request(label: str = "first", **changes: object) -> JsonObject:
    """Write a request."""
    members: JsonObject = {
        "license_key": KEY,
        "email": EMAIL,
        "product": PRODUCT,
        "instance_id": INSTANCE,
        "nonce": b64url(octets(f"nonce {label}", 16)),
        "client": {"name": "license-client", "version": "1.0.0"},
        "keyset_epoch": TRUST_EPOCH,
    }
    return members | changes


def call(operation: str = "validate", body: str = "") -> Call:
    """Make a call of the owner's deployment."""
    return Call(operation, body or compact(request()), INSTANCE)


def no(code: str, answered: Call, *, key: str = KEY, email: str = EMAIL) -> JsonObject:
    """Write the claims of a signed "no" about a license that the server knows."""
    return {
        "v": 1,
        "iss": ISS,
        "aud": PRODUCT,
        "jti": b64url(octets(f"jti {code}", 16)),
        "sub": SUB,
        "iat": NOW,
        "ref": NOW + 6 * HOUR,
        "req": request_hash(answered),
        "ins": answered.instance_id,
        "kb": key_binding(key, SUB),
        "own": owner_binding(key, email),
        "val": False,
        "code": code,
        "wrn": [],
        **about_license(),
        "kse": TRUST_EPOCH,
    }


def about_license(**changes: object) -> JsonObject:
    """Write the claims about the license itself."""
    members: JsonObject = {
        "st": "active",
        "kind": "paid",
        "lex": NOW + 365 * DAY,
        "rgr": 7 * DAY,
        "ent": ["reports", "sso"],
        "lim": {"seats": 25},
    }
    return members | changes


def anonymous_no(code: str, answered: Call, *, key: str = KEY, email: str = EMAIL) -> JsonObject:
    """Write the claims of a "no" that says nothing of any license."""
    claims = no(code, answered, key=key, email=email)
    kept = {name: value for name, value in claims.items() if name not in about_license()}
    return kept | {"sub": "", "kb": key_binding(key, "")}


def yes(answered: Call, **changes: object) -> JsonObject:
    """Write the claims of a signed "yes", in the order of the contract."""
    claims = no("VALID", answered) | {"val": True}
    head = dict(list(claims.items())[:7])
    lease = {"exp": NOW + DAY, "grc": NOW + 14 * DAY}
    return head | lease | claims | changes
