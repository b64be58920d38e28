"""What the documents of the license server promise is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import license_server
from license_server.settings import Settings

DISTRIBUTION = Path(__file__).parents[3] / "license_server"
README = (DISTRIBUTION / "README.md").read_text()
SOURCES = Path(license_server.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
WRITTEN_BY_HAND = {"http.access", "log"}
"""Events of `logs.py`: the line of a request, and what libraries log."""


def calls(module: Path) -> Iterator[ast.Call]:
    """Yield the calls in a module."""
    tree = ast.parse(module.read_text())
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def texts_in(node: ast.expr) -> set[str]:
    """Return the texts that an expression may be; anything but a text is `?`."""
    if isinstance(node, ast.IfExp):
        return texts_in(node.body) | texts_in(node.orelse)
    return {str(node.value)} if isinstance(node, ast.Constant) else {"?"}


def logged_events() -> set[str]:
    """Return the names of all events that this package logs."""
    return {
        name
        for module in SOURCES.rglob("*.py")
        for call in calls(module)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in LEVELS
        and ast.unparse(call.func.value) == "_log"
        for name in texts_in(call.args[0])
    }


def first_cells(document: str, heading: str) -> list[list[str]]:
    """Return the cells of the rows of the table under a heading."""
    text = (DISTRIBUTION / document).read_text().partition(heading)[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[1:]]


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - {"folder"}))
def test_every_setting_is_in_the_readme(name: str) -> None:
    named = [line.split("|")[1] for line in README.splitlines() if line.startswith("| `")]
    assert any(f"`{name.upper()}`" in cell for cell in named)


@pytest.mark.parametrize("document", ["README.md", "KEYS.md", "PAYMENTS.md", "DOCTOR.md"])
def test_every_link_of_a_document_leads_somewhere(document: str) -> None:
    text = (DISTRIBUTION / document).read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (DISTRIBUTION / target).exists(), target


def test_the_readme_has_every_event_of_the_log_and_no_other() -> None:
    named = [name.strip("`") for name, *_ in first_cells("README.md", "\n## Log\n")]
    assert len(named) == len(set(named))
    assert set(named) == logged_events() | WRITTEN_BY_HAND


def test_every_module_logs_under_the_name_that_the_search_for_events_knows() -> None:
    for module in SOURCES.rglob("*.py"):
        loggers = [call for call in calls(module) if "get_logger" in ast.unparse(call.func)]
        assert all("_log = structlog.get_logger(__name__)" in module.read_text() for _ in loggers)


def test_the_doctors_document_has_every_finding_and_its_remedy() -> None:
    used = {
        found
        for module in (SOURCES / "doctor").rglob("*.py")
        for found in re.findall(r'"([A-Z]\d{3})"', module.read_text())
    }
    rows = first_cells("DOCTOR.md", "\n")
    assert [id_ for id_, *_ in rows] == sorted(used)
    assert all(len(row) == 5 and row[-1] for row in rows)


def test_what_a_server_refuses_to_start_on_is_marked_in_the_doctors_document() -> None:
    files = (SOURCES / "doctor" / "files.py").read_text()
    marked = {row[0] for row in first_cells("DOCTOR.md", "\n") if row[3]}
    assert marked == set(re.findall(r'"([A-Z]\d{3})"', files))
