"""`cache.json`: the client's cache file, as written and as found."""

from cases.actors import INSTANCE, NOW, SIGNER, TRUST, octets, yes
from cases.confirmed import FORMAT, Case, DisagreementError, refusal, require_detail
from cases.decision_case import CALL
from cases.variants import each_left_out, each_replaced, without
from reference.cache import MAX_FILE_BYTES, clear, read_file, sealed
from reference.decision import token
from reference.encoding import JsonObject, b64url, compact

KEY, PREVIOUS, FOREIGN = (octets(f"encryption key {n}", 32) for n in range(3))
SALT, IV = octets("salt", 16), octets("iv", 12)
FULL: JsonObject = {
    "decision": token(yes(CALL), SIGNER),
    "keyset": [TRUST],
    "instance_id": INSTANCE,
    "received": {"boot": "3c0f9d5e-boot-one", "boottime": 5000},
    "high_water": {"at": NOW, "boot": "3c0f9d5e-boot-one", "boottime": 5000},
}
EMPTY: JsonObject = {
    "decision": None,
    "keyset": [],
    "instance_id": INSTANCE,
    "received": None,
    "high_water": None,
}
SEALED = sealed(FULL, KEY, SALT, IV)


def _written(name: str, document: JsonObject, file: JsonObject, key: bytes | None) -> Case:
    return {
        "name": name,
        "encryption_key": key.hex() if key else None,
        "salt": SALT.hex() if key else None,
        "iv": IV.hex() if key else None,
        "document": document,
        "file": compact(file),
    }


def _writes() -> list[Case]:
    return [
        _written("sealed", FULL, SEALED, KEY),
        _written("sealed without a decision", EMPTY, sealed(EMPTY, KEY, SALT, IV), KEY),
        _written("clear", FULL, clear(FULL), None),
    ]


def _found(
    name: str,
    file: JsonObject | str,
    key: bytes | None = KEY,
    previous: bytes | None = None,
    padded_to: int = 0,
) -> tuple[Case, bytes, list[bytes]]:
    text = file if isinstance(file, str) else compact(file)
    case: Case = {
        "name": name,
        "encryption_key": key.hex() if key else None,
        "previous_encryption_key": previous.hex() if previous else None,
        "file": text,
        "padded_to": padded_to,
    }
    return case, text.encode().ljust(padded_to), [known for known in (key, previous) if known]


def _accepted(
    found: tuple[Case, bytes, list[bytes]], document: JsonObject, *, rewrite: bool = False
) -> Case:
    case, raw, keys = found
    if (read := read_file(raw, keys)) != document:
        raise DisagreementError(f"{case['name']}: the reference reads {read}")
    return {**case, "document": document, "rewrite": rewrite}


def _refused(found: tuple[Case, bytes, list[bytes]], slug: str) -> Case:
    case, raw, keys = found
    reason = refusal(lambda: read_file(raw, keys), "CACHE_UNREADABLE")
    return {**case, **require_detail(str(case["name"]), reason, slug)}


def _reads() -> list[Case]:
    old = sealed(FULL, PREVIOUS, SALT, IV)
    more = FULL | {"new": {"later": True}}
    spaced = compact(SEALED).replace(",", ",\n  ")
    return [
        _accepted(_found("sealed under the key", SEALED), FULL),
        _accepted(_found("no decision yet", sealed(EMPTY, KEY, SALT, IV)), EMPTY),
        _accepted(_found("a previous key is set too", SEALED, KEY, PREVIOUS), FULL),
        _accepted(_found("sealed under the previous key", old, KEY, PREVIOUS), FULL, rewrite=True),
        _accepted(_found("clear, no key is set", clear(FULL), None), FULL),
        _accepted(_found("clear, a key is set now", clear(FULL)), FULL, rewrite=True),
        _accepted(_found("white space between members", spaced), FULL),
        _accepted(_found("a member of the file not known yet", SEALED | {"new": 1}), FULL),
        _accepted(_found("a plaintext member not known yet", sealed(more, KEY, SALT, IV)), more),
        _accepted(_found("131072 bytes", SEALED, padded_to=MAX_FILE_BYTES), FULL),
    ]


def _broken_files() -> list[Case]:
    text = compact(SEALED)
    return [
        _refused(_found("131073 bytes", SEALED, padded_to=MAX_FILE_BYTES + 1), "too-long"),
        _refused(_found("empty", ""), "json"),
        _refused(_found("cut in half", text[: len(text) // 2]), "json"),
        _refused(_found("the last brace is missing", text[:-1]), "json"),
        _refused(_found("an array", f"[{text}]"), "json"),
        _refused(_found("a member twice", text.replace('"v":1', '"v":1,"v":1')), "json"),
        _refused(_found("v is 1.0", text.replace('"v":1', '"v":1.0')), "json"),
        _refused(_found("text after the object", text + "x"), "json"),
        _refused(_found("zeros", "\0" * 512), "json"),
        _refused(_found("v is 2", SEALED | {"v": 2}), "version"),
        _refused(_found("v is true", SEALED | {"v": True}), "structure"),
        _refused(_found("another enc", SEALED | {"enc": "A128GCM"}), "encryption"),
        *(_refused(_found(name, cut), "structure") for name, cut in each_left_out(SEALED).items()),
        _refused(_found("clear without doc", without(clear(FULL), "doc"), None), "structure"),
        _refused(_found("doc is a string", clear(FULL) | {"doc": "{}"}, None), "structure"),
        _refused(_found("salt of 15 bytes", SEALED | {"salt": b64url(SALT[1:])}), "structure"),
        _refused(_found("iv of 13 bytes", SEALED | {"iv": b64url(IV + IV[:1])}), "structure"),
        _refused(_found("ct shorter than its tag", SEALED | {"ct": "A" * 20}), "structure"),
        _refused(_found("padding after ct", SEALED | {"ct": f"{SEALED['ct']}="}), "base64url"),
        _refused(_found("standard base64", SEALED | {"salt": "+/" + "A" * 20}), "base64url"),
    ]


def _broken_seals() -> list[Case]:
    other_salt, other_iv = b64url(octets("other salt", 16)), b64url(octets("other iv", 12))
    moved = sealed(FULL, FOREIGN, SALT, IV)
    ct = str(SEALED["ct"])
    return [
        _refused(_found("no key is set", SEALED, None), "key"),
        _refused(_found("sealed under a foreign key", moved), "key"),
        _refused(_found("two keys, neither fits", moved, KEY, PREVIOUS), "key"),
        _refused(_found("kid of another key", SEALED | {"kid": moved["kid"]}), "key"),
        _refused(_found("kid in capitals", SEALED | {"kid": str(SEALED["kid"]).upper()}), "key"),
        _refused(_found("a foreign key under our kid", moved | {"kid": SEALED["kid"]}), "decrypt"),
        _refused(_found("another salt", SEALED | {"salt": other_salt}), "decrypt"),
        _refused(_found("another iv", SEALED | {"iv": other_iv}), "decrypt"),
        _refused(_found("first byte changed", SEALED | {"ct": _flip(ct, 0)}), "decrypt"),
        _refused(_found("a middle byte changed", SEALED | {"ct": _flip(ct, 600)}), "decrypt"),
        _refused(_found("the tag changed", SEALED | {"ct": _flip(ct, len(ct) - 8)}), "decrypt"),
        _refused(_found("the tag cut off", SEALED | {"ct": ct[:-24]}), "decrypt"),
        _refused(_found("a tag alone", SEALED | {"ct": ct[-22:-1] + "A"}), "decrypt"),
    ]


def _flip(text: str, at: int) -> str:
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def _broken_plaintexts() -> list[Case]:
    wrong: dict[str, list[object]] = {
        "decision": [7, "", "x" * 8193],
        "keyset": [None, {}, ["x"]],
        "instance_id": [None, "", 7, "x" * 65],
        "received": [{}, 7, {"boot": None, "boottime": 1}, {"boot": "b", "boottime": True}],
        "high_water": [{"boot": "b", "boottime": 1}, {"at": "x", "boot": "b", "boottime": 1}],
    }
    variants = each_left_out(FULL, "plaintext") | each_replaced(FULL, wrong)
    return [
        *(_unplain(name, document) for name, document in variants.items()),
        _refused(_found("clear without a plaintext", clear({}), None), "plaintext"),
        _refused(_found("the plaintext is no JSON", sealed(b"hello", KEY, SALT, IV)), "plaintext"),
        _refused(_found("the plaintext is an array", sealed(b"[]", KEY, SALT, IV)), "plaintext"),
    ]


def _unplain(name: str, document: JsonObject) -> Case:
    case = _refused(_found(name, sealed(document, KEY, SALT, IV)), "plaintext")
    return {**case, "document": document}


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "written": _writes(),
        "accepted": _reads(),
        "refused": [*_broken_files(), *_broken_seals(), *_broken_plaintexts()],
    }
