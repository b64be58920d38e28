"""Whatever a client writes is read or refused, by an error that it can act on."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from db_api.grammar.keys import read_key
from db_api.grammar.order import read_order
from db_api.grammar.query import read_query
from db_api.grammar.select import read_select
from db_api.rest_errors import RestError

PIECES = st.sampled_from(
    [
        *(
            "a",
            "b c",
            "é",
            '"x.y"',
            '"',
            "\\",
            "*",
            "(",
            ")",
            "()",
            ",",
            ".",
            "..",
            "...",
            "!",
            ":",
        ),
        *("::", "->", "->>", "0", "-1", "!inner", "!left", "count()", ".sum()", "and", "or", "not"),
        *(
            "order",
            "limit",
            "offset",
            "select",
            "eq.1",
            "in.(1,2)",
            "is.null",
            "fts(x).y",
            "&",
            "=",
        ),
        *(" ", "\t", "\n", "\0", "%", "%41", "{", "}", "\ud7ff"),
    ]
)
TEXT = st.lists(PIECES, max_size=24).map("".join)


@given(TEXT)
def test_any_selection_order_or_key_is_read_or_refused(text: str) -> None:
    for read in (read_select, read_order, read_key):
        with suppress(RestError):
            read(text)


@given(TEXT)
def test_any_query_string_is_read_or_refused(text: str) -> None:
    with suppress(RestError):
        read_query(text.encode())
    with suppress(RestError):
        read_query(b"select=a(" + text.encode() + b")&a." + text.encode() + b"=eq.1")
