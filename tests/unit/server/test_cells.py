"""Cells of CSV: none is a formula, each comes back."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from license_server.api.cells import bare_cell, guarded_cell


@pytest.mark.parametrize("start", [*"=+-@\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_what_a_spreadsheet_would_compute_begins_with_an_apostrophe(start: str) -> None:
    assert guarded_cell(f"{start}1+1") == f"'{start}1+1"


@given(st.text(alphabet="'=+-@\t\r\na", max_size=6))
@example("'=1")
def test_every_text_comes_back_as_it_was(text: str) -> None:
    assert bare_cell(guarded_cell(text)) == text


@pytest.mark.parametrize("text", ["ada@example.com", "it's", "'quoted'", '{"a": 1}', ""])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert guarded_cell(text) == bare_cell(text) == text
