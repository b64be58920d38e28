"""`file-request.json`: what a machine that never goes online asks of its vendor."""

from cases.actors import EMAIL, KEY, PRODUCT
from cases.confirmed import FORMAT, Case, DisagreementError, refusal
from cases.file_case import OWN_INSTANCE
from cases.variants import each_replaced, without
from reference.encoding import JsonObject, compact
from reference.request import MAX_FILE_REQUEST_BYTES, read_file_request

GOOD: JsonObject = {
    "v": 1,
    "product": PRODUCT,
    "email": EMAIL,
    "key_hint": KEY[-4:],
    "instance_id": OWN_INSTANCE,
    "client": {"name": "license-client", "version": "1.0.0"},
}
TEXT = compact(GOOD)


def _accepted(name: str, text: str, expected: JsonObject, padded_to: int = 0) -> Case:
    if (read := read_file_request(text.encode().ljust(padded_to))) != expected:
        raise DisagreementError(f"{name}: the reference reads {read}")
    return {"name": name, "text": text, "padded_to": padded_to, "read": read}


def _refused(name: str, text: str, reason: str, detail: str, padded_to: int = 0) -> Case:
    found = refusal(lambda: read_file_request(text.encode().ljust(padded_to)), "")
    if found != {"reason": reason, "detail": detail}:
        raise DisagreementError(f"{name}: the reference says {found}")
    return {"name": name, "text": text, "padded_to": padded_to, **found}


def _reads() -> list[Case]:
    named = GOOD | {"instance_id": "plant-7:press_2"}
    return [
        _accepted("all that must be there", TEXT, GOOD),
        _accepted("a newline at the end", f"{TEXT}\n", GOOD),
        _accepted("CRLF between members", TEXT.replace(",", ",\r\n"), GOOD),
        _accepted("an email as typed", compact(GOOD | {"email": "Ada@Example.com"}), GOOD),
        _accepted("an instance named by its operator", compact(named), named),
        _accepted("a member not known yet", compact(GOOD | {"new": {"deep": [None]}}), GOOD),
        _accepted("16384 bytes", TEXT, GOOD, MAX_FILE_REQUEST_BYTES),
    ]


def _texts() -> list[Case]:
    broken = {
        "empty": "",
        "an array": f"[{TEXT}]",
        "cut off": TEXT[:-1],
        "text after the object": f"{TEXT}x",
        "a byte order mark": f"\ufeff{TEXT}",
        "v twice": TEXT.replace('"v":1', '"v":1,"v":1'),
        "v is 1.0": TEXT.replace('"v":1', '"v":1.0'),
    }
    longer = _refused("16385 bytes", TEXT, "MALFORMED_JSON", "json", MAX_FILE_REQUEST_BYTES + 1)
    return [
        longer,
        *(_refused(name, text, "MALFORMED_JSON", "json") for name, text in broken.items()),
    ]


def _members() -> list[Case]:
    wrong: dict[str, list[object]] = {
        "v": [2, 0, True, "1", None],
        "product": [None, "", "DB-API", "p" * 65],
        "email": [None, 7, "ada", ""],
        "key_hint": [None, "", KEY[-3:], KEY[-5:], KEY[-4:].lower(), "ILOU", KEY],
        "instance_id": [None, "", "a b", "i" * 65],
        "client": [None, "license-client", {}, {"name": "x"}, {"name": "x", "version": "1 0"}],
    }
    return [
        *(
            _refused(f"without {name}", compact(without(GOOD, name)), "INVALID_FIELD", name)
            for name in GOOD
        ),
        *(
            _refused(name, compact(variant), "INVALID_FIELD", name.split()[0])
            for name, variant in each_replaced(GOOD, wrong).items()
        ),
    ]


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "key": KEY,
        "accepted": _reads(),
        "refused": [*_texts(), *_members()],
    }
