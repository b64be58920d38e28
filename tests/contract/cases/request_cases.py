"""`request.json`: bodies as a server receives them."""

from cases.actors import EMAIL, KEY, request
from cases.confirmed import FORMAT, Case, DisagreementError, refusal
from cases.variants import each_replaced, without
from reference.encoding import JsonObject, b64url, compact
from reference.license_key import printed
from reference.request import read_request

GOOD = request()
TEXT = compact(GOOD)
FULL = request(app_version="2.4.0+build.7", deployment_name="B\u00fcro 2")


def _body(body: str | bytes) -> JsonObject:
    if isinstance(body, str):
        return {"body": body}
    return {"body_base64url": b64url(body)}


def _accepted(name: str, body: str, expected: JsonObject) -> Case:
    if (read := read_request(body.encode())) != expected:
        raise DisagreementError(f"{name}: the reference reads {read}")
    return {"name": name, **_body(body), "read": read}


def _refused(name: str, body: str | bytes, reason: str, detail: str) -> Case:
    raw = body.encode() if isinstance(body, str) else body
    found = refusal(lambda: read_request(raw), "")
    if found != {"reason": reason, "detail": detail}:
        raise DisagreementError(f"{name}: the reference says {found}")
    return {"name": name, **_body(body), **found}


def _reads() -> list[Case]:
    typed = request(license_key=printed(KEY, "LIC").lower(), email=" Ada@EXAMPLE.com ")
    spaced = compact(GOOD).replace(",", " ,\r\n\t")
    return [
        _accepted("all that must be there", TEXT, GOOD),
        _accepted("all that may be there", compact(FULL), FULL),
        _accepted("key and email as typed", compact(typed), GOOD | {"email": EMAIL}),
        _accepted("members in another order", compact(dict(reversed(list(GOOD.items())))), GOOD),
        _accepted("white space between members", spaced, GOOD),
        _accepted("escaped characters", TEXT.replace("@", "\\u0040"), GOOD),
        _accepted("a member not known yet", compact(GOOD | {"new": {"deep": [None]}}), GOOD),
        _accepted("no key set at all", compact(GOOD | {"keyset_epoch": 0}), _epoch(0)),
        _accepted("the highest epoch", compact(_epoch(2**31 - 1)), _epoch(2**31 - 1)),
        _accepted("an instance named by its operator", *_both("instance_id", "eu-1:db.api_2")),
        _accepted("a product of 64", *_both("product", "p" * 64)),
    ]


def _epoch(epoch: int) -> JsonObject:
    return GOOD | {"keyset_epoch": epoch}


def _both(name: str, value: str) -> tuple[str, JsonObject]:
    changed = GOOD | {name: value}
    return compact(changed), changed


def _malformed() -> list[Case]:
    wrong: dict[str, str | bytes] = {
        "empty": "",
        "a form": "license_key=x&email=y",
        "cut off": TEXT[:-1],
        "an array": f"[{TEXT}]",
        "null": "null",
        "text after the object": TEXT + "{}",
        "a member twice": TEXT.replace('"email"', '"email":"eve@example.com","email"'),
        "a member twice, once escaped": TEXT.replace('"email"', '"\\u0065mail":"x","email"'),
        "a member of the client twice": TEXT.replace('"version"', '"version":"1","version"'),
        "an epoch with a fraction": TEXT.replace('"keyset_epoch":3', '"keyset_epoch":3.0'),
        "an epoch with an exponent": TEXT.replace('"keyset_epoch":3', '"keyset_epoch":3e0'),
        "NaN": TEXT.replace('"keyset_epoch":3', '"keyset_epoch":NaN'),
        "an epoch of 5000 digits": TEXT.replace(":3", ":" + "3" * 5000),
        "a lone surrogate": TEXT[:-1] + ',"deployment_name":"\\ud800"}',
        "nested 17 deep": TEXT[:-1] + ',"new":' + "[" * 16 + "]" * 16 + "}",
        "nested 5000 deep": "[" * 5000,
        "single quotes": TEXT.replace('"', "'"),
        "a comma at the end": TEXT[:-1] + ",}",
        "a byte order mark": b"\xef\xbb\xbf" + TEXT.encode(),
        "UTF-16": TEXT.encode("utf-16"),
        "Latin-1": compact(FULL).encode("latin-1"),
        "a NUL byte at the end": TEXT.encode() + b"\0",
    }
    return [_refused(name, body, "MALFORMED_JSON", "json") for name, body in wrong.items()]


def _invalid() -> list[Case]:
    wrong: dict[str, list[object]] = {
        "license_key": [None, 7, "x" * 129],
        "email": [None, 7, "", "ada", "ada@localhost", "\u00e4@example.com", " " * 321],
        "product": [None, "", "DB-API", "-db", "p" * 65, "db api", "db-api\n"],
        "instance_id": [None, "", "a b", "i" * 65, "caf\u00e9", "x\n"],
        "nonce": [None, "", "A" * 21, "A" * 23, "A" * 21 + "B", "A" * 21 + "=", "+" * 21 + "A"],
        "client": [None, "license-client", {}, {"name": "x"}, {"version": "1"}, _client("\n")],
        "keyset_epoch": [None, "3", True, -1, 2**31],
        "app_version": [None, "", "1 0", "v" * 33, 1],
        "deployment_name": [None, "", "n" * 65, "line\nbreak", "\u202e", "\u2028", 7],
    }
    replaced = [
        _refused(name, compact(broken), "INVALID_FIELD", member)
        for member, values in wrong.items()
        for name, broken in each_replaced(GOOD, {member: values}).items()
    ]
    cuts = [
        _refused(f"without {member}", compact(without(GOOD, member)), "INVALID_FIELD", member)
        for member in GOOD
    ]
    return [*replaced, *cuts]


def _client(name: str) -> JsonObject:
    return {"name": name, "version": "1.0.0"}


def _keys() -> list[Case]:
    wrong = {
        "empty": ("", "too-short"),
        "cut off": (KEY[:-1], "too-short"),
        "mistyped": (KEY[1] + KEY[0] + KEY[2:], "checksum"),
        "a path": (f"key/{KEY[3:]}", "alphabet"),
    }
    both = compact(GOOD | {"license_key": "x", "email": "ada"})
    keys = [
        _refused(f"the license key is {name}", _with_key(key), "KEY_MALFORMED", slug)
        for name, (key, slug) in wrong.items()
    ]
    return [*keys, _refused("email goes before key", both, "INVALID_FIELD", "email")]


def _with_key(key: str) -> str:
    return compact(GOOD | {"license_key": key})


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "accepted": _reads(),
        "refused": [*_malformed(), *_invalid(), *_keys()],
    }
