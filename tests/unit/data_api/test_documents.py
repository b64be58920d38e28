"""The documents name everything that a user can set, call or meet. Needs the repository."""

from pathlib import Path

from db_api.problems import STATUS
from db_api.settings import Settings

DISTRIBUTION = Path(__file__).parents[3] / "db_api"


def test_every_setting_stands_in_the_readme() -> None:
    text = (DISTRIBUTION / "README.md").read_text()

    assert [name for name in Settings.model_fields if f"`{name.upper()}`" not in text] == []


def test_every_code_stands_with_its_status_in_the_wire_document() -> None:
    text = (DISTRIBUTION / "wire" / "README.md").read_text()

    assert [
        error.code for error, status in STATUS.items() if f"| `{error.code}` | {status}" not in text
    ] == []
