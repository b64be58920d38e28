import pytest
from hypothesis import given
from hypothesis import strategies as st

from db_api.identifiers import InvalidNameError, is_creatable, qualify, quote


@pytest.mark.parametrize("name", ["", "a\0b", "a" * 64, "é" * 32, "\ud800"])
def test_what_no_name_can_hold_is_refused(name: str) -> None:
    with pytest.raises(InvalidNameError):
        quote(name)


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("users", '"users"'),
        ("Users;--", '"Users;--"'),
        ('us"ers', '"us""ers"'),
        ("users\n", '"users\n"'),
        ("a" * 63, '"' + "a" * 63 + '"'),
        ("таблица", '"таблица"'),
    ],
)
def test_any_other_text_is_quoted_whole(name: str, quoted: str) -> None:
    assert quote(name) == quoted


def test_a_qualified_name_quotes_both_parts() -> None:
    assert qualify('a"b', "c.d") == '"a""b"."c.d"'


@pytest.mark.parametrize("name", ["users\n", "1st", "", "a-b", "é", "a" * 64, "a b", 'a"'])
def test_a_name_outside_the_pattern_is_not_created(name: str) -> None:
    assert not is_creatable(name)


@pytest.mark.parametrize("name", ["users", "_x", "A1", "a" * 63])
def test_a_plain_name_may_be_created(name: str) -> None:
    assert is_creatable(name)


@given(st.text(min_size=1, max_size=15).filter(lambda name: "\0" not in name))
def test_a_quoted_name_ends_only_where_its_quotes_end(name: str) -> None:
    try:
        inner = quote(name)[1:-1]
    except InvalidNameError:
        return
    assert inner.replace('""', "") == name.replace('"', "")
    assert inner.replace('""', '"') == name
