"""Decisions refused for what they say, though an honest key signed them."""

import hashlib

from cases.actors import (
    DAY,
    EMAIL,
    HOUR,
    INSTANCE,
    KEY,
    NOW,
    OTHER_EMAIL,
    OTHER_KEY,
    SIGNER,
    SUB,
    anonymous_no,
    call,
    no,
    request,
    yes,
)
from cases.confirmed import Case
from cases.decision_case import CACHED, CALL, ONLINE, Told, changed, refused
from cases.variants import each_left_out, each_replaced, without
from reference.decision import Call, jws, key_binding, owner_binding, token
from reference.encoding import JsonObject, b64url, compact
from reference.signature import header

YES = yes(CALL)
NO = no("REVOKED", CALL)
NOT_FOUND = anonymous_no("LICENSE_NOT_FOUND", CALL)
TEXT = compact(YES)


def _says(name: str, claims: JsonObject, slug: str, told: Told = ONLINE) -> Case:
    return refused(name, token(claims, SIGNER), slug, told)


def _writes(name: str, text: str) -> Case:
    return refused(name, token(text, SIGNER), "json")


def _swapped(old: str, new: str) -> str:
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


def _json() -> list[Case]:
    iat = f'"iat":{NOW}'
    return [
        _writes("a claim twice with the same value", _swapped('"v":1', '"v":1,"v":1')),
        _writes("val twice", _swapped('"val":true', '"val":false,"val":true')),
        _writes("a claim twice, once escaped", _swapped('"v":1', '"v":1,"\\u0076":1')),
        _writes("a limit twice", _swapped('"seats":25', '"seats":25,"seats":26')),
        _writes("a number with a fraction", _swapped(iat, iat + ".0")),
        _writes("a number with an exponent", _swapped(iat, '"iat":18e8')),
        _writes("v is 1.0", _swapped('"v":1', '"v":1.0')),
        _writes("a fraction in a claim that is not known", _swapped('"v":1', '"v":1,"new":0.5')),
        _writes("NaN", _swapped(iat, '"iat":NaN')),
        _writes("Infinity", _swapped(iat, '"iat":Infinity')),
        _writes("-Infinity", _swapped(iat, '"iat":-Infinity')),
        _writes("1e999", _swapped(iat, '"iat":1e999')),
        _writes("a number of 5000 digits", _swapped(iat, '"iat":' + "9" * 5000)),
        _writes("2^53", _swapped(iat, f'"iat":{2**53}')),
        _writes("a leading zero", _swapped(iat, f'"iat":0{NOW}')),
        _writes("a plus sign", _swapped(iat, f'"iat":+{NOW}')),
        _writes("hexadecimal", _swapped(iat, '"iat":0x6B49D200')),
        _writes("a lone high surrogate", _swapped('"sso"', '"\\ud83d"')),
        _writes("a lone low surrogate in a name", _swapped('"seats"', '"\\ude00"')),
        _writes("nested 17 deep", _swapped('"v":1', f'"v":1,"new":{"[" * 16}{"]" * 16}')),
        _writes("nested 2000 deep", _swapped('"v":1', f'"v":1,"new":{"[" * 2000}{"]" * 2000}')),
        _writes("never closed, 5000 deep", "[" * 5000),
        _writes("an array", f"[{TEXT}]"),
        _writes("a string", '"VALID"'),
        _writes("null", "null"),
        _writes("empty payload", ""),
        _writes("cut off", TEXT[:-1]),
        _writes("text after the object", TEXT + "{}"),
        _writes("a comma at the end", TEXT[:-1] + ",}"),
        _writes("single quotes", TEXT.replace('"', "'")),
        _writes("a comment", _swapped('"v":1', '"v":1/* one */')),
        _writes("a control character in a string", _swapped('"sso"', '"s\nso"')),
        _writes("NUL after the object", TEXT + "\0"),
        _writes("a byte order mark in the payload", "\ufeff" + TEXT),
        _encoded("bytes that are not UTF-8", TEXT.encode().replace(b"sso", b"s\xffo")),
        _encoded("a surrogate encoded in UTF-8", TEXT.encode().replace(b"sso", b"\xed\xa0\xbd")),
        _encoded("UTF-16", TEXT.encode("utf-16")),
        _encoded("an overlong slash", TEXT.encode().replace(b"sso", b"\xc0\xaf")),
    ]


def _encoded(name: str, payload: bytes) -> Case:
    head = f'{{"alg":"EdDSA","kid":"{SIGNER.kid}","typ":"license-decision+jwt"}}'
    return refused(name, jws(head.encode(), payload, SIGNER), "json")


def _missing() -> list[Case]:
    cuts = each_left_out(YES, "a yes") | each_left_out(NO, "a no")
    cached = _says("without req, from the cache", without(YES, "req"), "claims", CACHED)
    return [*(_says(name, claims, "claims") for name, claims in cuts.items()), cached]


def _types() -> list[Case]:
    wrong: dict[str, list[object]] = {
        "v": [True, "1", None],
        "iss": [None, 1, ""],
        "aud": [None, ["db-api"], "x" * 65],
        "jti": [None, 7, ""],
        "sub": [None, 7, "x" * 65],
        "iat": [True, "1800000000", None, -1, 253_402_300_800],
        "ref": [True, None],
        "exp": [True, None],
        "grc": [True, None],
        "req": [None, 7],
        "ins": [None, 7],
        "kb": [None, False],
        "own": [None, False],
        "val": [1, "true", None],
        "code": [None, 200],
        "wrn": [None, {}, [1], "EXPIRING_SOON"],
        "st": [None, "ended"],
        "kind": [None, "free"],
        "lex": [True, "never", -1],
        "rgr": [True, None, -1, 3650 * DAY + 1],
        "ent": [None, [1], {"sso": True}],
        "lim": [None, [], {"seats": "25"}, {"seats": -1}, {"seats": True}, {"seats": None}],
        "kse": [True, None, 0, 2**31],
    }
    return [_says(name, claims, "claims") for name, claims in each_replaced(YES, wrong).items()]


def _coherence() -> list[Case]:
    bare = {name: value for name, value in YES.items() if name not in NOT_FOUND or name == "sub"}
    return [
        _says("a code outside the list", changed(NO, code="BLOCKED"), "code"),
        _says("a problem's code", changed(NO, code="RATE_LIMITED"), "code"),
        _says("a code in lower case", changed(NO, code="revoked"), "code"),
        _says("a no that says VALID", changed(NO, code="VALID"), "code"),
        _says("a yes that says REVOKED", changed(YES, code="REVOKED"), "code"),
        _says("a yes that says EXPIRED", changed(YES, code="EXPIRED"), "code"),
        _says("a yes that says LICENSE_NOT_FOUND", changed(YES, code="LICENSE_NOT_FOUND"), "code"),
        _says("a no with exp", changed(NO, exp=NOW + DAY), "claims"),
        _says("a no with grc", changed(NO, grc=NOW + DAY), "claims"),
        _says("a no with exp null", changed(NO, exp=None), "claims"),
        _says("a yes without a license", changed(YES, sub="", kb=key_binding(KEY, "")), "claims"),
        _says("LICENSE_NOT_FOUND names a license", _found(), "claims"),
        _says("LICENSE_NOT_FOUND with a status", changed(NOT_FOUND, st="active"), "claims"),
        _says("EMAIL_MISMATCH with an end", _mismatch("EMAIL_MISMATCH"), "claims"),
        _says("PRODUCT_MISMATCH with an end", _mismatch("PRODUCT_MISMATCH"), "claims"),
        _says("the license's claims alone", bare, "claims"),
    ]


def _found() -> JsonObject:
    return changed(NOT_FOUND, sub=SUB, kb=key_binding(KEY, SUB))


def _mismatch(code: str) -> JsonObject:
    return {**anonymous_no(code, CALL), "lex": NOW + DAY}


def _times() -> list[Case]:
    return [
        _says("ref before iat", changed(YES, ref=NOW - 1), "times"),
        _says("exp before ref", changed(YES, exp=NOW + 6 * HOUR - 1), "times"),
        _says("grc before exp", changed(YES, grc=NOW + DAY - 1), "times"),
        _says("grc past iat + 400 d", changed(YES, grc=NOW + 400 * DAY + 1), "times"),
        _says("a no with ref before iat", changed(NO, ref=NOW - 1), "times"),
        _says("a no with ref past iat + 400 d", changed(NO, ref=NOW + 400 * DAY + 1), "times"),
    ]


def _addressees() -> list[Case]:
    return [
        _says("v is 2", changed(YES, v=2), "version"),
        _says("v is 0", changed(YES, v=0), "version"),
        _says("another server", changed(YES, iss="ls_ffffffffffffffff"), "issuer"),
        _says("another product", changed(YES, aud="other"), "audience"),
        _says("the product in capitals", changed(YES, aud="DB-API"), "audience"),
        _says("the product of another program", YES, "audience", Told(product="db-api-2")),
        _says("another product, from the cache", changed(YES, aud="other"), "audience", CACHED),
    ]


def _requests() -> list[Case]:
    activate = call("activate")
    again = call(body=compact(request("second")))
    spaced = Call("validate", CALL.body + "\n", INSTANCE)
    mistyped = changed(YES, own=owner_binding(KEY, OTHER_EMAIL))
    return [
        _says("the answer to an earlier request", YES, "request", Told(again)),
        _says("the answer to another operation", YES, "request", Told(activate)),
        _says("the same request with a newline", YES, "request", Told(spaced)),
        _says("req of the body alone", changed(YES, req=_body_hash()), "request"),
        _says("ins of another instance", changed(YES, ins="other"), "instance"),
        _says("ins in capitals", changed(YES, ins=INSTANCE.upper()), "instance"),
        _says("kb of another key", changed(YES, kb=key_binding(OTHER_KEY, SUB)), "key-binding"),
        _says("kb of another license", changed(YES, kb=key_binding(KEY, "")), "key-binding"),
        _says("own of another email", mistyped, "owner-binding"),
        _says("own and kb exchanged", changed(YES, own=YES["kb"]), "owner-binding"),
        _says("the cache of another key", YES, "key-binding", Told(None, key=OTHER_KEY)),
        _says("the cache of another owner", YES, "owner-binding", Told(None, email=OTHER_EMAIL)),
        _says("a no for another email", _other_no(), "owner-binding"),
    ]


def _body_hash() -> str:
    return b64url(hashlib.sha256(CALL.body.encode()).digest())


def _other_no() -> JsonObject:
    return anonymous_no("EMAIL_MISMATCH", CALL, email=f"x{EMAIL}")


def cases() -> list[Case]:
    """List them."""
    return [
        *_json(),
        *_missing(),
        *_types(),
        *_coherence(),
        *_times(),
        *_addressees(),
        *_requests(),
    ]


def files() -> list[Case]:
    """List license files that are presented as decisions."""
    filed = without(changed(YES, ref=YES["grc"], exp=YES["grc"], ins=None), "req")
    text = jws(header(SIGNER.kid, "license-file+jwt"), compact(filed).encode(), SIGNER)
    return [
        refused("a license file in place of a decision", text, "header"),
        _says("the claims of a license file as a decision", filed, "claims", CACHED),
    ]
