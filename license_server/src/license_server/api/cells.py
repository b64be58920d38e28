"""Cells of CSV that no spreadsheet takes for a formula (OWASP, "CSV Injection").

A text that begins like a formula gets an apostrophe before it, which a spreadsheet reads as "this
is text" and an import drops. A text that begins with apostrophes and goes on like a formula gets
one more, so that every text comes back as it was.
"""

import re
from typing import Final

_FORMULA: Final = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")  # the last four full width


def guarded_cell(text: str) -> str:
    """Return what is written for `text`."""
    return f"'{text}" if _FORMULA.match(text) else text


def bare_cell(cell: str) -> str:
    """Return the text that was written as `cell`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
