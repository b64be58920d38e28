"""A case goes into a vector file only when the reference agrees with what its author expects."""

from collections.abc import Callable

from reference.encoding import JsonObject
from reference.flaw import FlawError, RejectedError

Case = JsonObject
FORMAT = 1


class DisagreementError(Exception):
    """The author of a case and the reference implementation expect different outcomes."""


def refusal(act: Callable[[], object], reason: str) -> JsonObject:
    """Run what must be refused and return its reason and slug."""
    try:
        outcome = act()
    except RejectedError as rejected:
        return {"reason": rejected.reason, "detail": rejected.detail}
    except FlawError as flaw:
        return {"reason": reason, "detail": str(flaw)}
    raise DisagreementError(f"accepted what must be refused: {outcome!r}")


def require_detail(name: str, found: JsonObject, expected: str) -> JsonObject:
    """Return the refusal that was found when it is the expected one."""
    if found["detail"] != expected:
        raise DisagreementError(f"{name}: expected {expected}, the reference says {found}")
    return found


def require_unique_names(document: JsonObject) -> JsonObject:
    """Return a vector file's content when no two of its cases share a name."""
    names = [
        case["name"]
        for cases in document.values()
        if isinstance(cases, list)
        for case in cases
        if isinstance(case, dict) and "name" in case
    ]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise DisagreementError(f"cases with the same name: {sorted(map(str, repeated))}")
    return document
