"""The documents name everything that a user can set, call or meet. Needs the repository."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import db_api
from db_api.metrics import SECURITY_EVENTS, Metrics, PoolLevel
from db_api.problems import STATUS
from db_api.settings import Settings
from support.licensed import LicensedMachine

DISTRIBUTION = Path(__file__).parents[3] / "db_api"
SOURCES = Path(db_api.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
WRITTEN_BY_HAND = {"http.access", "log"}
"""Events of `logs.py`: the line of a request, and what libraries log."""
FINDING = re.compile(r'"([A-Z]\d{3})"')


def calls(module: Path) -> Iterator[ast.Call]:
    """Yield the calls in a module."""
    tree = ast.parse(module.read_text())
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def logged_events() -> set[str]:
    """Return the names of all events that this package logs; anything but a text is `?`."""
    return {
        str(call.args[0].value) if isinstance(call.args[0], ast.Constant) else "?"
        for module in SOURCES.rglob("*.py")
        for call in calls(module)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in LEVELS
        and ast.unparse(call.func.value) == "_log"
    }


def first_cells(document: str, heading: str) -> list[list[str]]:
    """Return the cells of the rows of the table under a heading."""
    text = (DISTRIBUTION / document).read_text().partition(heading)[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[1:]]


def test_every_setting_stands_in_the_readme() -> None:
    text = (DISTRIBUTION / "README.md").read_text()

    assert [name for name in Settings.model_fields if f"`{name.upper()}`" not in text] == []


def test_every_code_stands_with_its_status_in_the_wire_document() -> None:
    text = (DISTRIBUTION / "wire" / "README.md").read_text()

    assert [
        error.code for error, status in STATUS.items() if f"| `{error.code}` | {status}" not in text
    ] == []


def test_the_doctors_document_has_every_finding_and_its_remedy() -> None:
    modules = [
        *(SOURCES / "doctor").rglob("*.py"),
        SOURCES / "production_rules.py",
        SOURCES / "control" / "login_rights.py",
    ]
    used = {found for module in modules for found in FINDING.findall(module.read_text())}
    rows = first_cells("DOCTOR.md", "\n")

    assert [id_ for id_, *_ in rows] == sorted(used)
    assert all(len(row) == 5 and row[-1] for row in rows)


def test_what_production_refuses_to_start_on_is_marked_in_the_doctors_document() -> None:
    rules = (SOURCES / "production_rules.py").read_text()
    refused = set(re.findall(r'failed\(\s*"([A-Z]\d{3})"', rules)) | {"D003"}
    marked = {row[0] for row in first_cells("DOCTOR.md", "\n") if row[3]}

    assert refused <= marked


def test_the_readme_has_every_event_of_the_log_and_no_other() -> None:
    named = [name.strip("`") for name, *_ in first_cells("README.md", "\n## Log\n")]

    assert len(named) == len(set(named))
    assert set(named) == logged_events() | WRITTEN_BY_HAND


def test_every_module_logs_under_the_name_that_the_search_for_events_knows() -> None:
    for module in SOURCES.rglob("*.py"):
        loggers = [call for call in calls(module) if "get_logger" in ast.unparse(call.func)]
        assert all("_log = structlog.get_logger(__name__)" in module.read_text() for _ in loggers)


def test_every_event_that_is_counted_is_logged_and_said_to_be_counted() -> None:
    rows = first_cells("README.md", "\n## Log\n")

    assert logged_events() >= SECURITY_EVENTS
    assert {name.strip("`") for name, *_, counted in rows if counted} == SECURITY_EVENTS


def test_the_readme_has_every_metric_and_no_other(customer: LicensedMachine) -> None:
    metrics = Metrics(customer.new_gate(), lambda: PoolLevel(10, 0, 0))
    kept = {family.name for family in metrics.registry.collect()}
    cells = " ".join(name for name, *_ in first_cells("README.md", "\n## Metrics\n"))

    assert {name.removesuffix("_total") for name in re.findall(r"`([a-z_]+)`", cells)} == kept
