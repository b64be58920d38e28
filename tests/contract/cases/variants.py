"""Documents broken in one member: left out, or with another value."""

from collections.abc import Mapping, Sequence

from reference.encoding import JsonObject, compact

_SHOWN = 32  # characters of a value in the name of its case


def without(members: JsonObject, *names: str) -> JsonObject:
    """Leave members out."""
    return {name: value for name, value in members.items() if name not in names}


def each_left_out(members: JsonObject, kind: str = "") -> dict[str, JsonObject]:
    """Leave each member out in turn; the keys name the cases and say of what `kind` they are."""
    return {f"{kind} without {name}".strip(): without(members, name) for name in members}


def each_replaced(
    members: JsonObject, wrong: Mapping[str, Sequence[object]]
) -> dict[str, JsonObject]:
    """Give members each wrong value in turn; the keys name the cases."""
    return {
        f"{name} is {_shown(value)}": members | {name: value}
        for name, values in wrong.items()
        for value in values
    }


def _shown(value: object) -> str:
    text = compact(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\u2026 ({len(text)} characters)"
