"""`self-service.json`: bodies that ask for a trial or a recovery, and the one answer to both."""

from cases.actors import EMAIL, PRODUCT
from cases.confirmed import FORMAT, Case, DisagreementError, refusal
from cases.variants import each_replaced, without
from reference.encoding import JsonObject, compact
from reference.request import read_self_service

GOOD: JsonObject = {"email": EMAIL, "product": PRODUCT}
TEXT = compact(GOOD)
MESSAGE = "If this can be done for the address, a mail is on its way to it."


def _accepted(name: str, body: str, expected: JsonObject) -> Case:
    if (read := read_self_service(body.encode())) != expected:
        raise DisagreementError(f"{name}: the reference reads {read}")
    return {"name": name, "body": body, "read": read}


def _refused(name: str, body: str, reason: str, detail: str) -> Case:
    found = refusal(lambda: read_self_service(body.encode()), "")
    if found != {"reason": reason, "detail": detail}:
        raise DisagreementError(f"{name}: the reference says {found}")
    return {"name": name, "body": body, **found}


def _reads() -> list[Case]:
    more = compact(GOOD | {"name": "Ada", "new": {"deep": [None]}})
    return [
        _accepted("email and product", TEXT, GOOD),
        _accepted("an email as typed", compact(GOOD | {"email": " Ada@EXAMPLE.com\n"}), GOOD),
        _accepted("members in another order", compact(dict(reversed(GOOD.items()))), GOOD),
        _accepted("white space between members", TEXT.replace(",", " ,\r\n"), GOOD),
        _accepted("members not known yet", more, GOOD),
    ]


def _texts() -> list[Case]:
    broken = {
        "empty": "",
        "an array": f"[{TEXT}]",
        "cut off": TEXT[:-1],
        "text after the object": f"{TEXT}x",
        "a form instead of JSON": "email=ada%40example.com&product=db-api",
        "email twice": TEXT.replace("{", '{"email":"x@example.com",'),
        "a number with a fraction": TEXT[:-1] + ',"new":1.0}',
        "a lone surrogate": TEXT.replace("@", "\\ud83d@"),
    }
    return [_refused(name, text, "MALFORMED_JSON", "json") for name, text in broken.items()]


def _members() -> list[Case]:
    wrong: dict[str, list[object]] = {
        "email": [None, 7, "", "ada", "a@b@example.com", f"{'a' * 321}@example.com"],
        "product": [None, 7, "", "DB-API", "-db", "p" * 65, "db-api\n"],
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
        "answer": {"status": 202, "document": {"message": MESSAGE}},
        "accepted": _reads(),
        "refused": [*_texts(), *_members()],
    }
