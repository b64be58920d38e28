"""Decisions refused for their form: length, segments, base64url, header, kid, signature."""

import hmac
import string

from cases.actors import (
    BOUNDED,
    DAY,
    FILE_ONLY,
    HOUR,
    NEXT,
    NOW,
    REVOKED,
    ROOT_A,
    ROOT_B,
    SIGNER,
    STRANGER,
    TRUST_EPOCH,
    TRUST_KEYS,
    keyset_payload,
    root,
    yes,
)
from cases.confirmed import Case
from cases.decision_case import CACHED, CALL, Told, changed, refused
from reference import keyset
from reference.decision import MAX_TOKEN_BYTES, TYP, jws, token
from reference.encoding import b64url, compact, from_b64url
from reference.signature import ORDER, Pair, header

YES = yes(CALL)
GOOD = token(YES, SIGNER)
HEAD, PAYLOAD, SIGNATURE = GOOD.split(".")
BASE64URL = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def _lengths() -> list[Case]:
    spare = (MAX_TOKEN_BYTES - len(token({**YES, "new": ""}, SIGNER))) * 3 // 4
    longer = token({**YES, "new": "x" * (spare + 2)}, SIGNER)
    return [
        refused("more than 8192 characters", longer, "too-long"),
        refused("empty", "", "segments"),
        refused("a letter beyond ASCII", GOOD.replace("e", "\u0435", 1), "not-ascii"),
        refused("a byte order mark", "\ufeff" + GOOD, "not-ascii"),
        refused("one segment", PAYLOAD, "segments"),
        refused("two segments", f"{HEAD}.{PAYLOAD}", "segments"),
        refused("four segments", f"{GOOD}.{SIGNATURE}", "segments"),
        refused("five segments, as encrypted tokens have", f"{GOOD}.a.b", "segments"),
        refused("a dot at the end", f"{GOOD}.", "segments"),
    ]


def _spellings() -> list[Case]:
    # The last character of 86 carries two bits of the signature: 16 spellings read the same.
    at = BASE64URL.index(SIGNATURE[-1])
    others = [BASE64URL[at & 0b110000 | bits] for bits in range(16) if at & 15 != bits]
    return [
        refused(f"last character of the signature spelled {char}", GOOD[:-1] + char, "base64url")
        for char in others
    ]


def _characters() -> list[Case]:
    return [
        refused("padding after the signature", f"{GOOD}==", "base64url"),
        refused("one padding sign", f"{GOOD}=", "base64url"),
        refused("padding after the header", f"{HEAD}=.{PAYLOAD}.{SIGNATURE}", "base64url"),
        refused("padding after the payload", f"{HEAD}.{PAYLOAD}=.{SIGNATURE}", "base64url"),
        refused("a newline at the end", f"{GOOD}\n", "base64url"),
        refused("a space at the start", f" {GOOD}", "base64url"),
        refused("a space inside the payload", GOOD.replace(PAYLOAD, _spaced()), "base64url"),
        refused("NUL at the end", f"{GOOD}\0", "base64url"),
        refused("the base64 alphabet", f"{HEAD}.{PAYLOAD}.+/{SIGNATURE[2:]}", "base64url"),
        refused("a segment of 4n + 1 characters", f"{HEAD}A.{PAYLOAD}.{SIGNATURE}", "base64url"),
        refused("a quoted token", f'"{GOOD}"', "base64url"),
    ]


def _spaced() -> str:
    return f"{PAYLOAD[:8]} {PAYLOAD[8:]}"


def _with_header(name: str, text: str, slug: str = "header") -> Case:
    return refused(name, jws(text.encode(), compact(YES).encode(), SIGNER), slug)


def _headers() -> list[Case]:
    kid = SIGNER.kid
    return [
        _with_header("typ before kid", f'{{"alg":"EdDSA","typ":"{TYP}","kid":"{kid}"}}'),
        _with_header("kid before alg", f'{{"kid":"{kid}","alg":"EdDSA","typ":"{TYP}"}}'),
        _with_header("a space in the header", f'{{"alg": "EdDSA","kid":"{kid}","typ":"{TYP}"}}'),
        _with_header("a newline after the header", _header(kid) + "\n"),
        _with_header("one more member", _header(kid)[:-1] + ',"crit":[]}'),
        _with_header("an embedded key", _header(kid)[:-1] + ',"jwk":{}}'),
        _with_header("alg twice", _header(kid).replace("{", '{"alg":"none",')),
        _with_header("alg none", _header(kid).replace("EdDSA", "none")),
        _with_header("alg HS256", _header(kid).replace("EdDSA", "HS256")),
        _with_header("alg Ed25519", _header(kid).replace("EdDSA", "Ed25519")),
        _with_header("alg eddsa", _header(kid).replace("EdDSA", "eddsa")),
        _with_header("escaped characters", _header(kid).replace("EdDSA", "\\u0045dDSA")),
        _with_header("kid in upper case", _header(kid.upper())),
        _with_header("kid of 15 digits", _header(kid[:-1])),
        _with_header("kid of 17 digits", _header(kid + "0")),
        _with_header("kid with a path", _header("../" + kid[3:])),
        _with_header("no kid", f'{{"alg":"EdDSA","typ":"{TYP}"}}'),
        _with_header("no typ", f'{{"alg":"EdDSA","kid":"{kid}"}}'),
        _with_header("typ of a key set", _header(kid, keyset.TYP)),
        _with_header("typ of a license file", _header(kid, "license-file+jwt")),
        _with_header("typ JWT", _header(kid, "JWT")),
        _with_header("typ in capitals", _header(kid, TYP.upper())),
        _with_header("an array as header", "[]"),
        _with_header("an empty header", ""),
        refused("signed with the public key as HMAC secret", _hs256(), "header"),
        refused("alg none without a signature", _unsigned(), "header"),
    ]


def _header(kid: str, typ: str = TYP) -> str:
    return header(kid, typ).decode()


def _hs256() -> str:
    head = b64url(_header(SIGNER.kid).replace("EdDSA", "HS256").encode())
    mac = hmac.digest(SIGNER.public, f"{head}.{PAYLOAD}".encode(), "sha256")
    return f"{head}.{PAYLOAD}.{b64url(mac)}"


def _unsigned() -> str:
    return f"{b64url(_header(SIGNER.kid).replace('EdDSA', 'none').encode())}.{PAYLOAD}."


def _bounded(name: str, iat: int) -> Case:
    times = {"iat": iat, "ref": iat + HOUR, "exp": iat + DAY, "grc": iat + DAY}
    return refused(name, token(changed(YES, **times), BOUNDED), "kid-window")


def _kids() -> list[Case]:
    return [
        refused("signed by a key that no set holds", token(YES, STRANGER), "kid-unknown"),
        refused("signed by the root key", token(YES, ROOT_A), "kid-unknown"),
        refused("signed by a key of a set not yet fetched", token(YES, NEXT), "kid-unknown"),
        refused("signed by a revoked key", token(YES, REVOKED), "kid-revoked"),
        refused("a revoked key, from the cache", token(YES, REVOKED), "kid-revoked", CACHED),
        refused("signed by a key for license files", token(YES, FILE_ONLY), "kid-use"),
        _bounded("iat one second before its key's time", NOW - 1),
        _bounded("iat at the end of its key's time", NOW + HOUR),
        refused("revoked by the key set in the answer", GOOD, "kid-revoked", _revoking()),
        refused("the key set in the answer is refused", GOOD, "signatures-old", _forged()),
    ]


def _revoking() -> Told:
    keys = [member | {"status": "revoked"} for member in TRUST_KEYS]
    payload = keyset_payload(TRUST_EPOCH + 1, [root(ROOT_A)], 1, keys)
    return Told(offered=[keyset.signed(payload, [ROOT_A])])


def _forged() -> Told:
    payload = keyset_payload(TRUST_EPOCH + 1, [root(ROOT_B)], 1, TRUST_KEYS)
    return Told(offered=[keyset.signed(payload, [ROOT_B])])


def _signatures() -> list[Case]:
    raw = from_b64url(SIGNATURE)
    scalar = int.from_bytes(raw[32:], "little") + ORDER
    shorter = token(changed(YES, aud="db-ap"), SIGNER).split(".")
    return [
        *(_flipped(bit) for bit in (0, 7, 255, 256, 300, 504)),
        _resigned("S raised by the group order", raw[:32] + scalar.to_bytes(32, "little")),
        _resigned("63 bytes", raw[:-1]),
        _resigned("65 bytes", raw + b"\0"),
        _resigned("64 zero bytes", bytes(64)),
        _resigned("no signature", b""),
        refused("signed by another key under this kid", _impersonated(), "signature"),
        refused("payload of another decision", f"{HEAD}.{shorter[1]}.{SIGNATURE}", "signature"),
        refused("signature of another decision", f"{HEAD}.{PAYLOAD}.{shorter[2]}", "signature"),
        refused("an empty payload", f"{HEAD}..{SIGNATURE}", "signature"),
        refused("the payload alone is signed", _partly(), "signature"),
    ]


def _flipped(bit: int) -> Case:
    raw = bytearray(from_b64url(SIGNATURE))
    raw[bit // 8] ^= 1 << bit % 8
    return _resigned(f"bit {bit} of the signature flipped", bytes(raw))


def _resigned(name: str, raw: bytes) -> Case:
    return refused(name, f"{HEAD}.{PAYLOAD}.{b64url(raw)}", "signature")


def _impersonated() -> str:
    return jws(header(SIGNER.kid, TYP), compact(YES).encode(), Pair("somebody else"))


def _partly() -> str:
    return f"{HEAD}.{PAYLOAD}.{b64url(SIGNER.sign(PAYLOAD.encode()))}"


def cases() -> list[Case]:
    """List them."""
    return [
        *_lengths(),
        *_spellings(),
        *_characters(),
        *_headers(),
        *_kids(),
        *_signatures(),
    ]
