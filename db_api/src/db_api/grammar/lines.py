"""Rows of a long body of lines, some at a time, as its bytes come."""

from db_api.grammar.body import JsonBody, read_json_body, unequal_keys
from db_api.grammar.conversion import ndjson_to_json, read_csv
from db_api.grammar.media import LineForm
from db_api.rest_errors import RestError


class LineReader:
    """Cuts a body into batches of whole rows.

    Args:
        form: of the lines.
        needs_keys: the request does not name the columns, so the rows' members do.
        batch_bytes: of a batch, about.
        max_row_bytes: of one row at most, since a row is kept until it is whole.
    """

    def __init__(
        self, form: LineForm, *, needs_keys: bool, batch_bytes: int, max_row_bytes: int
    ) -> None:
        self._form = form
        self._needs_keys = needs_keys
        self._batch_bytes = batch_bytes
        self._max_row_bytes = max_row_bytes
        self._names: tuple[str, ...] | None = None
        self._kept = bytearray()

    def feed(self, data: bytes) -> JsonBody | None:
        """Take the next part of the body, and return a batch once there is one.

        Raises:
            RestError: it is not of its form, or rows have other members than the first.
        """
        self._kept += data
        return self.flush() if len(self._kept) >= self._batch_bytes else None

    def flush(self) -> JsonBody | None:
        """Return the rows that are whole by now; None if there are none; raises as `feed`."""
        end = _end_of_lines(self._kept, self._form)
        if len(self._kept) - end > self._max_row_bytes:
            raise RestError("DBAPI432", f"A row is longer than {self._max_row_bytes} bytes")
        if end == 0:
            return None
        whole = bytes(self._kept[:end])
        del self._kept[:end]
        return self._read(whole)

    def end(self) -> JsonBody:
        """Return the rows that are left, perhaps none; raises as `feed`."""
        whole = bytes(self._kept)
        self._kept.clear()
        return self._read(whole) or JsonBody(b"[]", is_object=False, keys=self._names or ())

    def _read(self, lines: bytes) -> JsonBody | None:
        if self._form == "csv":
            self._names, rows = read_csv(lines, self._names)
            return JsonBody(rows, is_object=False, keys=tuple(dict.fromkeys(self._names)))
        body = read_json_body(ndjson_to_json(lines), needs_keys=self._needs_keys)
        if body.data == b"[]":
            return None
        if self._names is None:
            self._names = body.keys
        if set(body.keys) != set(self._names):
            raise unequal_keys()
        return body


def _end_of_lines(data: bytearray, form: LineForm) -> int:
    """Return where the last whole row ends: a line end within quotes is part of a value."""
    if form == "ndjson" or b'"' not in data:
        return data.rfind(b"\n") + 1
    parts = data.split(b'"')
    end = len(data)
    for place in range(len(parts) - 1, -1, -1):
        start = end - len(parts[place])
        found = parts[place].rfind(b"\n") if place % 2 == 0 else -1
        if found >= 0:
            return start + found + 1
        end = start - 1
    return 0
