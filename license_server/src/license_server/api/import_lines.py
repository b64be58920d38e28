"""From the lines of an import, NDJSON or CSV, to what each of them asks for."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Final, TypeVar

from pydantic import Field

from license_server.admin.imports import Line
from license_server.api.cells import bare_cell
from license_server.api.licenses import NewLicense
from license_server.api.requests import parse_body, validated
from license_server.errors import FieldError, InvalidField, LicenseServerError, MalformedJson
from license_server.strict_json import read_object

MAX_LINE_BYTES: Final = 64 * 1024
SEPARATOR: Final = ";"
"""Between the entitlements of a CSV line."""


class ImportedLicense(NewLicense):
    """One line; an import mails no keys."""

    mail_key: bool = Field(default=False, exclude=True)


_MEMBERS: Final = tuple(name for name in ImportedLicense.model_fields if name != "mail_key")

_Source = TypeVar("_Source")
Reading = tuple[int, Callable[[], Line]]
"""The number of a line, and what reads it or raises what is wrong with it."""


def ndjson_lines(file: IO[bytes]) -> Iterator[Reading]:
    """Yield the lines of an NDJSON file; empty ones are passed over."""
    number = 0
    while text := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(text) > MAX_LINE_BYTES:
            raise _bad(number, f"at most {MAX_LINE_BYTES} bytes are expected")
        if text.strip():
            yield number, _reader(number, text, _of_json)


def csv_lines(file: IO[bytes]) -> Iterator[Reading]:
    """Yield the lines of a CSV file in UTF-8, whose first line names the members.

    Raises:
        InvalidField: it is no CSV, or not in UTF-8.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        rows = csv.reader(text, strict=True)
        names = next(rows, [])
        if len(set(names)) != len(names):
            raise _bad(1, "each member is expected once")
        if not set(names) <= set(ImportedLicense.model_fields):
            raise _bad(1, f"some of {', '.join(_MEMBERS)} are expected")
        for row in rows:
            if row:
                yield rows.line_num, _reader(rows.line_num, (names, row), _of_row)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidField(FieldError("body", "CSV in UTF-8 is expected")) from error
    finally:
        text.detach()


def named(number: int, error: LicenseServerError) -> list[FieldError]:
    """Return what is wrong with a line, under its number."""
    if isinstance(error, InvalidField):
        return [FieldError(f"line {number}.{one.field}", one.message) for one in error.errors]
    return [FieldError(f"line {number}", str(error))]


def _reader(
    number: int, source: _Source, parse: Callable[[_Source], ImportedLicense]
) -> Callable[[], Line]:
    def read() -> Line:
        members = parse(source)
        return Line(number, members.order(), members.metadata)

    return read


def _of_json(text: bytes) -> ImportedLicense:
    return _checked(parse_body(ImportedLicense, "application/json", text))


def _of_row(source: tuple[list[str], list[str]]) -> ImportedLicense:
    names, row = source
    if len(row) != len(names):
        raise InvalidField(FieldError("body", f"{len(names)} columns are expected"))
    members: dict[str, Any] = {
        name: bare_cell(cell) for name, cell in zip(names, row, strict=True) if cell
    }
    if "entitlements" in members:
        members["entitlements"] = tuple(members["entitlements"].split(SEPARATOR))
    if "metadata" in members:
        members["metadata"] = _metadata(members["metadata"])
    return _checked(validated(ImportedLicense, members, strict=False))


def _metadata(text: str) -> Mapping[str, object]:
    try:
        return read_object(text.encode())
    except MalformedJson as error:
        raise InvalidField(FieldError("metadata", "a JSON object is expected")) from error


def _checked(members: ImportedLicense) -> ImportedLicense:
    if "mail_key" in members.model_fields_set:
        raise InvalidField(FieldError("mail_key", "an import mails no keys"))
    return members


def _bad(number: int, expected: str) -> InvalidField:
    return InvalidField(FieldError(f"line {number}", expected))
