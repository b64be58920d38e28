"""What the security guide names is there, and nothing that it should name is left out."""

import re

import pytest

from support.command_lines import lines_in, mistake_in
from support.known_names import DEPLOY, ROOT, SETTINGS, settings_in
from support.runbooks import GUIDE

TEXT = GUIDE.read_text(encoding="utf-8")
FINDING = re.compile(r"(?:\b(api|server) )?\b([A-Z]\d{3})\b")
DOCTORS = {"api": "db_api", "server": "license_server"}
ANY = {"NAME_FILE"}  # of whatever secret


def findings_of(package: str) -> set[str]:
    """Return the ids of a doctor's document, which has them all."""
    rows = (ROOT / package / "DOCTOR.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| ([A-Z]\d{3}) ", rows, re.MULTILINE))


@pytest.mark.parametrize("doctor", DOCTORS)
def test_every_finding_is_one_of_its_doctor(doctor: str) -> None:
    named = {id_ for whose, id_ in FINDING.findall(TEXT) if whose == doctor}
    assert named - findings_of(DOCTORS[doctor]) == set()


def test_a_finding_is_never_named_without_its_doctor() -> None:
    assert [id_ for whose, id_ in FINDING.findall(TEXT) if not whose] == []


@pytest.mark.parametrize("doctor", DOCTORS)
def test_every_failure_of_a_doctor_is_in_the_guide(doctor: str) -> None:
    document = (ROOT / DOCTORS[doctor] / "DOCTOR.md").read_text(encoding="utf-8")
    failures = {row.split("|")[1].strip() for row in document.splitlines() if "| FAIL |" in row}
    named = {id_ for whose, id_ in FINDING.findall(TEXT) if whose == doctor}
    assert failures - named == set()


def test_every_command_is_one_of_the_programs() -> None:
    lines = list(lines_in(TEXT))
    assert len(lines) > 40
    assert [mistake for mistake in map(mistake_in, lines) if mistake] == []


@pytest.mark.parametrize(
    "line",
    ["db-api keys invent", "db-api keys list --color", "license-server token", "db-api activat -k"],
)
def test_a_command_that_is_not_there_is_found_out(line: str) -> None:
    assert mistake_in(line)


def test_every_setting_is_one_of_the_services() -> None:
    known = set().union(*SETTINGS.values())
    assert settings_in(TEXT) - known - ANY == set()


def test_every_event_is_one_of_the_log() -> None:
    logged = "".join((ROOT / f"{one}/README.md").read_text() for one in DOCTORS.values())
    events = re.findall(r"`([a-z_]+\.[a-z_]+)`", TEXT)
    assert [event for event in events if f"| `{event}` |" not in logged] == []


def test_every_link_leads_somewhere() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        assert (DEPLOY / path).exists(), target
        assert path or anchor in anchors, target


def test_the_secrets_managers_of_three_clouds_are_shown() -> None:
    for command in ("aws secretsmanager", "az keyvault secret", "gcloud secrets"):
        assert TEXT.count(command) >= 2
