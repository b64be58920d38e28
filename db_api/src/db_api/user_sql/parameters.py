"""The parameters of a statement as texts, which PostgreSQL reads as whatever type they have there.

Strings and numbers pass as they are written, so that no number loses a digit on the way: Python's
own would make `1.10` of `1.1`, and know 17 digits of a longer one.
"""

import json
from collections.abc import Sequence
from typing import Final, TypeAlias, Union

from db_api.errors import InvalidRequestError, ParameterMismatchError
from db_api.user_sql.wire import Row


class Number(str):
    """A number as it is written."""

    __slots__ = ()


Parameter: TypeAlias = Union[bool, str, Number, "list[Parameter]", "dict[str, Parameter]", None]

_JSON_TYPES: Final = frozenset({114, 3802})


def read_parameters(body: bytes, member: str) -> tuple[Parameter, ...]:
    """Read one member of a JSON object, an array, with its numbers as they are written.

    Args:
        body: an object in UTF-8 that was checked already.
        member: its name; without it there are no parameters.

    Raises:
        InvalidRequestError: it holds what only Python takes for a number.
    """
    read = json.loads(body, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)
    return tuple(read.get(member, ()))


def parameter_texts(parameters: Sequence[Parameter], types: Sequence[int]) -> Row:
    """Write every parameter for its type.

    Args:
        parameters: as the request has them.
        types: of the statement's parameters, by PostgreSQL's oid.

    Raises:
        ParameterMismatchError: there are too few or too many.
        InvalidRequestError: one cannot be a text in PostgreSQL.
    """
    if len(parameters) != len(types):
        raise ParameterMismatchError(
            f"The statement has {len(types)} parameters, the request {len(parameters)}.",
            hint="Send one for each of $1, $2, …, in their order.",
        )
    pairs = zip(parameters, types, strict=True)
    return [_encoded(number, _text(*pair)) for number, pair in enumerate(pairs, 1)]


def _refuse_constant(name: str) -> None:
    raise InvalidRequestError(f"{name} is no JSON.", hint="Send it as a string.")


def _text(parameter: Parameter, type_oid: int) -> str | None:
    if parameter is None:
        return None
    if isinstance(parameter, list) and type_oid not in _JSON_TYPES:
        return _array(parameter)
    return _scalar(parameter)


def _scalar(value: Parameter) -> str:
    return value if isinstance(value, str) else _json(value)


def _array(values: "list[Parameter]") -> str:
    return f"{{{','.join(map(_element, values))}}}"


def _element(value: Parameter) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return _array(value)
    escaped = _scalar(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _json(value: Parameter) -> str:
    if isinstance(value, Number):
        return value
    if isinstance(value, list):
        return f"[{','.join(map(_json, value))}]"
    if isinstance(value, dict):
        members = (f"{json.dumps(name)}:{_json(member)}" for name, member in value.items())
        return f"{{{','.join(members)}}}"
    return json.dumps(value)


def _encoded(number: int, text: str | None) -> bytes | None:
    if text is None:
        return None
    if "\0" in text:
        raise InvalidRequestError(f"Parameter ${number} holds a NUL, which no text in SQL can.")
    return text.encode()
