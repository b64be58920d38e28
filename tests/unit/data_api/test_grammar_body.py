import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db_api.grammar.body import read_body
from db_api.grammar.media import BodyForm
from db_api.rest_errors import RestError


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("csv", b""),
        ("csv", b"\n\n"),
        ("csv", b"a,b\n1"),
        ("csv", b"a,b\n1,2,3"),
        ("csv", b'a\n"1" x'),
        ("csv", b'a\n"1'),
        ("csv", b"a\n\xff"),
        ("form", b"a=%ff"),
        ("form", b"\xff"),
        ("ndjson", b"{}\n17"),
        ("ndjson", b'{"a":1}\n{"b":1}'),
        ("ndjson", b'{"a":1}\n{"a":'),
    ],
)
def test_a_body_that_is_not_what_it_is_said_to_be_is_refused(form: BodyForm, data: bytes) -> None:
    with pytest.raises(RestError) as refused:
        read_body(data, form, needs_keys=True)
    assert refused.value.code == "PGRST102"


@pytest.mark.parametrize(
    ("form", "data", "rows"),
    [
        ("csv", b"a,b\r\n1,NULL\r\n", [{"a": "1", "b": None}]),
        ("csv", b'a,b\n"x,\n""y""",\n\n', [{"a": 'x,\n"y"', "b": ""}]),
        ("csv", b"a,b", []),
        ("form", b"a=1+2&b=%C3%A9&a=3", {"a": "3", "b": "é"}),
        ("form", b"a=", {"a": ""}),
        ("ndjson", b'{"a":1}\r\n\n{"a":"\\n"}\n', [{"a": 1}, {"a": "\n"}]),
        ("ndjson", b"", []),
    ],
)
def test_every_form_becomes_json(form: BodyForm, data: bytes, rows: object) -> None:
    assert json.loads(read_body(data, form, needs_keys=True).data) == rows


def test_the_names_of_a_csv_are_the_columns_even_without_a_row() -> None:
    assert read_body(b"a,b\n", "csv", needs_keys=False).keys == ("a", "b")


def test_a_field_may_be_as_long_as_a_body() -> None:
    body = read_body(b"a\n" + b"x" * 1_000_000, "csv", needs_keys=True)
    assert len(json.loads(body.data)[0]["a"]) == 1_000_000


@given(st.sampled_from(["json", "csv", "form", "ndjson"]), st.binary(max_size=60))
def test_whatever_a_body_holds_it_is_rows_or_refused(form: BodyForm, data: bytes) -> None:
    with contextlib.suppress(RestError):
        assert isinstance(json.loads(read_body(data, form, needs_keys=True).data), list | dict)
