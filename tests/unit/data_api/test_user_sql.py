"""What surrounds a user's statement, without a database."""

import struct

import pytest

from db_api.errors import InvalidRequestError, ParameterMismatchError, StatementUnsupportedError
from db_api.user_sql import wire
from db_api.user_sql.pages import Column, JsonPage, PageLimits, distinct_names
from db_api.user_sql.parameters import parameter_texts, read_parameters
from db_api.user_sql.refusals import StatementRefusedError, refusal
from db_api.user_sql.words import first_word, require_useful

TEXT, JSONB, INT8, FLOAT8, BOOL, NUMERIC = 25, 3802, 20, 701, 16, 1700


def texts(params: str, *types: int) -> list[str | None]:
    """Write parameters as a request with this JSON would have them."""
    read = read_parameters(b'{"params": [%b]}' % params.encode(), "params")
    found = parameter_texts(read, types)
    return [None if value is None else value.decode() for value in found]


# Parameters


@pytest.mark.parametrize(("params", "given"), [("", 1), ("1,2", 1), ("1", 0)])
def test_another_number_of_parameters_is_refused(params: str, given: int) -> None:
    with pytest.raises(ParameterMismatchError):
        texts(params, *[TEXT] * given)


def test_a_parameter_with_a_nul_is_refused_by_its_number() -> None:
    with pytest.raises(InvalidRequestError, match=r"\$2"):
        texts('"a", "b\\u0000"', TEXT, TEXT)


def test_what_only_python_takes_for_a_number_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="Infinity"):
        texts("Infinity", TEXT)


@pytest.mark.parametrize(
    ("param", "text"),
    [
        ("null", None),
        ("true", "true"),
        ("1.10", "1.10"),
        ("9007199254740993", "9007199254740993"),
        ("0.12345678901234567890123456789", "0.12345678901234567890123456789"),
        ("1" * 5000, "1" * 5000),
        ('"é\\"\\\\"', 'é"\\'),
        ('["a", null, "q\\"\\\\", ",", "NULL", 1.10, true]',
         '{"a",NULL,"q\\"\\\\",",","NULL","1.10","true"}'),
        ("[[1, 2], []]", '{{"1","2"},{}}'),
        ('[{"a": 1.10}]', '{"{\\"a\\":1.10}"}'),
        ('{"a": [1.10, null, "x", true]}', '{"a":[1.10,null,"x",true]}'),
    ],
)  # fmt: skip
def test_a_parameter_passes_as_it_is_written(param: str, text: str | None) -> None:
    assert texts(param, TEXT) == [text]


def test_an_array_for_json_stays_json() -> None:
    assert texts('[1.10, ["a"]]', JSONB) == ['[1.10,["a"]]']


# Pages


def page_of(rows: list[list[bytes | None]], *columns: tuple[str, int], **limits: int) -> JsonPage:
    page = JsonPage(PageLimits(**{"max_rows": 10, "max_bytes": 1000, **limits}), needs_end=False)
    names = distinct_names(name for name, _ in columns)
    page.begin(tuple(Column(name, "?", oid) for name, (_, oid) in zip(names, columns, strict=True)))
    for row in rows:
        page.take(row)
    return page


@pytest.mark.parametrize(
    ("oid", "text", "written"),
    [
        (BOOL, b"t", b"true"),
        (INT8, b"9007199254740991", b"9007199254740991"),
        (INT8, b"9007199254740992", b'"9007199254740992"'),
        (INT8, b"-9007199254740992", b'"-9007199254740992"'),
        (FLOAT8, b"1e-07", b"1e-07"),
        (FLOAT8, b"NaN", b'"NaN"'),
        (FLOAT8, b"-Infinity", b'"-Infinity"'),
        (NUMERIC, b"1.10", b'"1.10"'),
        (JSONB, b'{"a": 1.10}', b'{"a": 1.10}'),
        (TEXT, b'a"\\\n\x01\xc3\xa9', b'"a\\"\\\\\\n\\u0001\xc3\xa9"'),
        (TEXT, b"\xff", '"�"'.encode()),
    ],
)
def test_a_value_is_json_where_json_has_it_exactly(oid: int, text: bytes, written: bytes) -> None:
    assert page_of([[text]], ("a", oid)).rows == [b'{"a":%b}' % written]


def test_every_column_has_a_name_of_its_own() -> None:
    assert distinct_names(["x", "y", "x", "x_1", "x"]) == ["x", "y", "x_2", "x_1", "x_3"]


def test_rows_past_a_limit_are_left_out() -> None:
    by_count = page_of([[b"1"]] * 3, ("a", INT8), max_rows=2)
    by_size = page_of([[b"1"]] * 3, ("a", INT8), max_bytes=15)

    assert [len(page.rows) for page in (by_count, by_size)] == [2, 2]
    assert by_count.is_truncated
    assert by_size.is_truncated


def test_a_small_row_after_a_large_one_is_left_out_too() -> None:
    page = page_of([[b"1"], [b"x" * 99], [b"2"]], ("a", TEXT), max_bytes=50)

    assert page.rows == [b'{"a":"1"}']


# Words


@pytest.mark.parametrize(
    "sql",
    [
        "commit",
        "COMMIT;",
        " \n\t;; -- x\n /* a /* b */ c */ RollBack",
        "--x\rbegin",
        "PREPARE TRANSACTION 'x'",
        "set role postgres",
        "lock table numbers",
        "copy numbers to program 'id'",
    ],
)
def test_what_would_do_nothing_is_refused(sql: str) -> None:
    with pytest.raises(StatementUnsupportedError):
        require_useful(sql)


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("insert into commit values (1)", "insert"),
        ('"commit"', ""),
        ("(select 1)", ""),
        ("/* commit", ""),
        ("/* commit */", ""),
        ("-- commit", ""),
        ("", ""),
        ("commitment", "commitment"),
    ],
)
def test_other_statements_begin_with_another_word(sql: str, word: str) -> None:
    assert first_word(sql) == word
    require_useful(sql)


# Refusals


def test_a_refusal_tells_what_postgresql_told_and_no_more_than_fits() -> None:
    error = refusal({"S": "ERROR", "C": "22P02", "M": "x" * 5000, "D": "d", "H": "h", "P": "8"})

    assert (error.code, error.details, error.hint, error.position) == ("22P02", "d", "h", 8)
    assert len(error.message) == 2001


def test_a_row_that_broke_a_constraint_can_be_left_out() -> None:
    error = StatementRefusedError("23514", "m", details="Failing row contains (1, secret).")

    assert error.without_rows().details is None
    assert StatementRefusedError("22012", "m", details="d").without_rows().details == "d"


@pytest.mark.parametrize("code", ["PT204", "PT304", "PT402", "PT599"])
def test_a_function_chooses_no_status_here(code: str) -> None:
    assert StatementRefusedError(code, "m").status == 400


# The wire


def test_a_row_of_the_wire_is_read() -> None:
    body = struct.pack("!Hi1siii", 4, 1, b"a", -1, 0, -1)

    assert wire.read_row(body) == [b"a", None, b"", None]


def test_an_error_that_was_cut_short_is_read_as_far_as_it_goes() -> None:
    assert wire.read_fields(b"SERROR\0C22P02\0Mlong mess") == {
        "S": "ERROR",
        "C": "22P02",
        "M": "long mess",
    }
