"""What the documents of the license server promise is there."""

import re
from pathlib import Path

import pytest

from license_server.settings import Settings

DISTRIBUTION = Path(__file__).parents[3] / "license_server"
README = (DISTRIBUTION / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - {"folder"}))
def test_every_setting_is_in_the_readme(name: str) -> None:
    named = [line.split("|")[1] for line in README.splitlines() if line.startswith("| `")]
    assert any(f"`{name.upper()}`" in cell for cell in named)


@pytest.mark.parametrize("document", ["README.md", "KEYS.md", "PAYMENTS.md"])
def test_every_link_of_a_document_leads_somewhere(document: str) -> None:
    text = (DISTRIBUTION / document).read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (DISTRIBUTION / target).exists(), target
