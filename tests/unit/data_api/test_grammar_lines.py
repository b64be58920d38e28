import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db_api.grammar.lines import LineReader
from db_api.grammar.media import LineForm
from db_api.rest_errors import RestError

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12).filter(lambda text: text != "NULL")


def read_all(
    body: bytes, form: LineForm, cut: int, *, needs_keys: bool = True, batch: int = 16
) -> list[dict[str, object]]:
    """Read a body that comes in parts of `cut` bytes."""
    reader = LineReader(form, needs_keys=needs_keys, batch_bytes=batch, max_row_bytes=1000)
    parts = [reader.feed(body[at : at + cut]) for at in range(0, len(body), cut)]
    rows: list[dict[str, object]] = []
    for part in [*parts, reader.end()]:
        if part is not None:
            rows += json.loads(part.data)
    return rows


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=20), st.integers(1, 40))
def test_csv_is_cut_between_rows_alone(pairs: list[tuple[str, str]], cut: int) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(("a", "b"))
    writer.writerows(pairs)

    rows = read_all(text.getvalue().encode(), "csv", cut)

    assert rows == [{"a": a, "b": b} for a, b in pairs]


@given(st.lists(st.dictionaries(st.sampled_from("ab"), TEXTS, min_size=2)), st.integers(1, 40))
def test_ndjson_is_cut_between_rows_alone(rows: list[dict[str, str]], cut: int) -> None:
    body = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()

    assert read_all(body, "ndjson", cut) == rows


@pytest.mark.parametrize("cut", [1, 7, 1000])
@pytest.mark.parametrize(
    "body", [b'{"a":1}\n{"a":1}\n{"a":1}\n{"b":1}\n', b'{"a":1}\n{"a":1}\n{"a":1}\n{"a":1,"b":1}']
)
def test_rows_of_a_later_batch_have_the_members_of_the_first(body: bytes, cut: int) -> None:
    with pytest.raises(RestError) as refused:
        read_all(body, "ndjson", cut)
    assert refused.value.code == "PGRST102"


def test_named_columns_let_rows_differ() -> None:
    body = b'{"a":1}\n{"a":1}\n{"b":2}\n'
    assert read_all(body, "ndjson", 8, needs_keys=False) == [{"a": 1}, {"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("body", "form"),
    [(b'a\n"' + b"x\n" * 600, "csv"), (b'{"a":"' + b"x" * 1100, "ndjson")],
)
def test_a_row_that_never_ends_is_not_kept(body: bytes, form: LineForm) -> None:
    with pytest.raises(RestError) as refused:
        read_all(body, form, 50)
    assert refused.value.code == "DBAPI432"


@pytest.mark.parametrize(
    "body", [b"", b"\n\n", b"a,b\n1\n", b'a\n"1\n', b"a\n\xff\n", b'a\nx"y"z"\n"\n']
)
def test_what_is_no_csv_is_refused(body: bytes) -> None:
    with pytest.raises(RestError) as refused:
        read_all(body, "csv", 3)
    assert refused.value.code == "PGRST102"


@pytest.mark.parametrize("body", [b"[", b"{}}\n", b"1\n", b'{"a":1}{"a":2}\n'])
def test_what_is_no_ndjson_is_refused(body: bytes) -> None:
    with pytest.raises(RestError) as refused:
        read_all(body, "ndjson", 3)
    assert refused.value.code == "PGRST102"


def test_an_empty_ndjson_has_no_rows() -> None:
    assert read_all(b"\n \n", "ndjson", 1) == []
