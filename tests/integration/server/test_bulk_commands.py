"""`license import` and `license export` on a server's own folder."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from license_server.api.license_filters import LicenseFilterQuery
from license_server.cli import main
from license_server.cli.licenses import license_


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vendor") / "server"
    assert CliRunner().invoke(main, ["init", str(folder), "--product", "db-api"]).exit_code == 0
    return folder


def run(folder: Path, *line: str | Path) -> Result:
    return CliRunner().invoke(main, ["--dir", str(folder), "license", *map(str, line)])


def test_a_bad_file_leaves_no_file_of_keys(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "buyers.csv"
    file.write_text("product,email\ndb-api,ada\n", encoding="utf-8")
    done = run(folder, "import", file, "-o", tmp_path / "keys.ndjson")
    assert done.exit_code == 2
    assert "line 2.email" in done.stderr
    assert list(tmp_path.iterdir()) == [file]


def test_imported_keys_are_in_a_file_of_ones_own(folder: Path, tmp_path: Path) -> None:
    file, keys = tmp_path / "buyers.csv", tmp_path / "keys.ndjson"
    file.write_text("product,email\ndb-api,ada@example.com\n", encoding="utf-8")
    assert "lines that are good: 1" in run(folder, "import", file, "--dry-run").stderr
    done = run(folder, "import", file, "-o", keys)
    assert "imported 1" in done.stderr
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    made, end = map(json.loads, keys.read_text(encoding="ascii").splitlines())
    assert end == {"imported": 1}
    exported = [json.loads(line) for line in run(folder, "export").stdout.splitlines()]
    assert [one["id"] for one in exported] == [made["id"]]
    assert made["key"] not in json.dumps(exported)


def test_a_file_that_is_imported_again_gets_the_same_keys(folder: Path, tmp_path: Path) -> None:
    file, first, second = (tmp_path / name for name in ("b.csv", "first", "second"))
    file.write_text("product,email\ndb-api,bob@example.com\n", encoding="utf-8")
    run(folder, "import", file, "-o", first)
    run(folder, "import", file, "-o", second)
    assert first.read_bytes() == second.read_bytes()
    exported = run(folder, "export", "--email", "bob@example.com").stdout
    assert len(exported.splitlines()) == 1


@pytest.mark.parametrize("command", ["list", "export"])
def test_a_command_has_every_filter_of_the_api(command: str) -> None:
    options = {option.name for option in license_.commands[command].params}
    assert set(LicenseFilterQuery.model_fields) <= options


def test_a_list_and_an_export_hold_what_the_filters_let_through(folder: Path) -> None:
    for line in (("--email", "lovelace@one.example", "--for", "30d"),
                 ("--email", "hopper@two.example", "--trial")):  # fmt: skip
        assert run(folder, "issue", "--product", "db-api", *line).exit_code == 0
    [ada] = json.loads(run(folder, "list", "--domain", "one.example", "--json").stdout)
    for filters, emails in {
        ("--owner", ada["owner_id"]): ["lovelace@one.example"],
        ("--key-hint", ada["key_hint"].lower()): ["lovelace@one.example"],
        ("--kind", "trial"): ["hopper@two.example"],
        ("--expires-after", "2000-01-01", "--kind", "paid"): ["lovelace@one.example"],
        ("--expires-before", "2000-01-01"): [],
        ("--issued-after", "9000-01-01"): [],
        ("--issued-before", "9000-01-01", "--domain", "two.example"): ["hopper@two.example"],
    }.items():
        listed = json.loads(run(folder, "list", "--json", *filters).stdout)
        exported = map(json.loads, run(folder, "export", *filters).stdout.splitlines())
        assert [one["email"] for one in listed] == emails, filters
        assert [one["email"] for one in exported] == emails, filters
