"""What the files of `deploy/` name is there."""

from pathlib import Path

import pytest

from support.known_names import DEPLOY, SETTINGS, settings_in

OF_OTHERS = {"CREDENTIALS_DIRECTORY", "AF_INET", "AF_INET6", "AF_UNIX"}
"""What systemd calls so."""

FILES = sorted(
    file
    for folder in ("nginx", "caddy", "systemd")
    for file in (DEPLOY / folder).iterdir()
    if file.stem in SETTINGS
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_setting_of_a_services_file_is_one_of_its_service(file: Path) -> None:
    named = settings_in(file.read_text(encoding="utf-8")) - OF_OTHERS
    assert named - SETTINGS[file.stem] == set()
    assert named


def test_both_services_have_a_file_for_each_way_to_run_them() -> None:
    assert len(FILES) == 6
