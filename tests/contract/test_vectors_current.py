"""The committed vectors are what their maker makes, and none is forgotten by anybody."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
WIRE = HERE.parents[1] / "license_server" / "wire"
FILES = sorted((WIRE / "vectors").iterdir())
README = (WIRE / "README.md").read_text()
Document = dict[str, Any]

# Which side must prove that it agrees with a file.
READERS = {
    "cache.json": ["client"],
    "checkpoint.json": ["server"],
    "decision.json": ["client"],
    "email.json": ["client", "server"],
    "file-request.json": ["client", "server"],
    "issue.json": ["server"],
    "key.json": ["client", "server"],
    "keyset.json": ["client", "server"],
    "license-file.json": ["client", "server"],
    "problem.json": ["client", "server"],
    "request.json": ["server"],
    "self-service.json": ["server"],
    "state.json": ["client"],
}

_ROW = re.compile(r"^\| `([A-Z_]+)`[^|]*\| `([a-z0-9, -]+)` \|$", re.MULTILINE)
REASONS = {
    reason: set(slugs.split(", "))
    for reason, slugs in _ROW.findall(README.partition("## Reasons of refusal")[2])
}
MEMBERS = {
    name
    for schema in ("license-request", "self-service-request", "file-request")
    for name in json.loads((WIRE / "schemas" / f"{schema}.json").read_text())["properties"]
}


def _read(path: Path) -> Document:
    document: Document = json.loads(path.read_text())
    return document


def _name(path: Path) -> str:
    return path.name


each_file = pytest.mark.parametrize("path", FILES, ids=_name)


def test_the_committed_vectors_are_what_the_maker_makes() -> None:
    command = [sys.executable, str(HERE / "make_vectors.py"), "--check"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")


def test_the_maker_imports_none_of_our_packages() -> None:
    sources = [HERE / "make_vectors.py", *HERE.glob("cases/*.py"), *HERE.glob("reference/*.py")]
    imports = re.compile(r"^\s*(from|import) (license_|db_api)", re.MULTILINE)
    assert [path.name for path in sources if imports.search(path.read_text())] == []


def test_every_file_has_its_readers() -> None:
    assert [path.name for path in FILES] == sorted(READERS)


@pytest.mark.parametrize(
    ("name", "side"), [(name, side) for name, sides in READERS.items() for side in sides]
)
def test_a_side_runs_every_file_that_it_must_agree_with(name: str, side: str) -> None:
    reader = (HERE / f"test_{side}_vectors.py").read_text()
    assert re.search(rf'"{name.removesuffix(".json")}(\.json)?"', reader)


@each_file
def test_a_file_has_the_one_format(path: Path) -> None:
    document = _read(path)
    assert document["format"] == 1
    assert document["accepted"]
    assert isinstance(document["refused"], list)
    assert path.read_bytes().isascii()


@each_file
def test_the_readme_describes_a_file_and_all_its_sections(path: Path) -> None:
    row = next(line for line in README.splitlines() if line.startswith(f"| `{path.name}` |"))
    sections = {name for name, value in _read(path).items() if isinstance(value, list)}
    for section in sections - {"accepted", "refused"}:
        assert f"`{section}`" in row


@each_file
def test_every_refusal_names_a_reason_of_the_closed_list(path: Path) -> None:
    for case in _read(path)["refused"]:
        of_members = MEMBERS if case["reason"] == "INVALID_FIELD" else set()
        assert case["detail"] in REASONS[case["reason"]] | of_members, case["name"]


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_has_its_vector(reason: str) -> None:
    refused = [case for path in FILES for case in _read(path)["refused"]]
    assert REASONS[reason] <= {case["detail"] for case in refused if case["reason"] == reason}
