"""The documents name everything that a user can set, call or meet. Needs the repository."""

import re
from pathlib import Path

import db_api
from db_api.problems import STATUS
from db_api.settings import Settings

DISTRIBUTION = Path(__file__).parents[3] / "db_api"
SOURCES = Path(db_api.__file__).parent
FINDING = re.compile(r'"([A-Z]\d{3})"')


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
