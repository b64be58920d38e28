"""The vendor's commands, as processes: exit statuses, files and what is printed where."""

import asyncio
import base64
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from click.testing import CliRunner

from license_server import base64url
from license_server.cli import main
from license_server.errors import ConfigurationError
from license_server.license_keys import LicenseKey
from license_server.setup import initialize
from support.tcp_forwarder import free_port

COMMAND = Path(sys.executable).parent / "license-server"
FILES = {
    "keyset.json",
    "license-server.db",
    "license-server.env",
    "peppers.json",
    "root.key",
    "sealing.key",
    "signing.key",
}


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Shell:
    """A shell in which the commands of one server are typed."""

    folder: Path

    def __call__(self, *line: str, status: int = 0, env: Mapping[str, str] | None = None) -> str:
        """Run a command; return its stdout, or its stderr if it was to fail."""
        said = self.run(*line, env=env)
        assert said.status == status, said
        return said.stderr if status else said.stdout

    def run(self, *line: str, env: Mapping[str, str] | None = None) -> Said:
        """Run a command in this process."""
        done = CliRunner().invoke(main, ["--dir", str(self.folder), *line], env=env)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def start(self, *line: str, env: Mapping[str, str] | None = None) -> Said:
        """Run a command as a process of its own."""
        done = subprocess.run(
            [COMMAND, "--dir", self.folder, *line],
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def json(self, *line: str) -> Any:
        """Run a command with --json and return what it printed."""
        return json.loads(self(*line, "--json"))

    def issue(self, *options: str) -> dict[str, Any]:
        """Issue a license of the first product."""
        line = ("license", "issue", "--product", "db-api", "--email", "Ada@Example.com")
        issued: dict[str, Any] = self.json(*line, *options)
        return issued


@pytest.fixture(scope="session")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's folder, just made, to be copied."""
    made = Shell(tmp_path_factory.mktemp("made") / "vendor")
    made("init", str(made.folder), "--product", "db-api", "--name", "Data API")
    return made.folder


@pytest.fixture
def shell(made_folder: Path, tmp_path: Path) -> Shell:
    """A server's folder of its own."""
    return Shell(Path(shutil.copytree(made_folder, tmp_path / "vendor")))


def test_init_makes_private_files_in_a_private_folder(shell: Shell) -> None:
    assert {path.name for path in shell.folder.iterdir()} == FILES
    assert mode(shell.folder) == 0o700
    assert {mode(path) for path in shell.folder.iterdir()} == {0o600}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_init_shows_the_token_once_and_says_to_take_the_root_key_offline(tmp_path: Path) -> None:
    folder = tmp_path / "vendor"
    done = Shell(folder).start("init", str(folder))
    token = next(line.split()[-1] for line in done.stdout.splitlines() if "admin token" in line)
    assert token.startswith("lsk_")
    assert f"Take {folder / 'root.key'} offline now" in done.stderr
    for path in folder.iterdir():
        assert token.encode() not in path.read_bytes()


def test_init_refuses_a_folder_in_use_and_leaves_it_alone(shell: Shell) -> None:
    before = {path.name: path.read_bytes() for path in shell.folder.iterdir()}
    assert "not empty" in shell("init", str(shell.folder), status=6)
    assert {path.name: path.read_bytes() for path in shell.folder.iterdir()} == before


@pytest.mark.parametrize("exists", [True, False])
def test_a_failed_init_leaves_nothing(tmp_path: Path, *, exists: bool) -> None:
    folder = tmp_path / "vendor"
    if exists:
        folder.mkdir()
    shell = Shell(folder)
    assert "code: " in shell("init", str(folder), "--product", "Not A Code", status=2)
    assert folder.exists() is exists
    assert not exists or list(folder.iterdir()) == []
    shell("init", str(folder))


def test_of_many_inits_at_once_one_makes_the_server(tmp_path: Path) -> None:
    folder = tmp_path / "vendor"
    together = Barrier(8)

    def try_to_make(_: int) -> bool:
        together.wait()
        try:
            asyncio.run(initialize(folder, None, None, datetime(2026, 1, 1, tzinfo=UTC)))
        except ConfigurationError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(try_to_make, range(8)))

    assert made.count(True) == 1
    assert {path.name for path in folder.iterdir()} == FILES


def test_init_refuses_a_path_that_cannot_be(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    assert "cannot make" in shell("init", str(tmp_path / ("x" * 300)), status=6)


def test_init_takes_an_unused_postgresql_and_never_one_in_use(
    tmp_path: Path, new_database: Callable[..., str]
) -> None:
    env = {"DATABASE_URL": new_database()}
    shell, other = Shell(tmp_path / "vendor"), Shell(tmp_path / "other")
    shell("init", str(shell.folder), "--product", "db-api", env=env)
    assert {path.name for path in shell.folder.iterdir()} == FILES - {"license-server.db"}
    issue = ("license", "issue", "--product", "db-api", "--email", "ada@example.com", "--json")
    assert json.loads(shell(*issue, env=env))["key"].startswith("LIC-")
    assert "belongs to a server" in other("init", str(other.folder), status=6, env=env)
    assert not other.folder.exists()


def test_without_a_server_every_command_says_how_to_make_one(tmp_path: Path) -> None:
    for line in (["license", "list"], ["product", "list"], ["migrate"], ["keyset", "export-trust"]):
        assert "license-server init" in Shell(tmp_path)(*line, status=6)
    serve = Shell(tmp_path).start("serve")
    assert serve.status == 78
    assert "license-server init" in serve.stderr


def test_an_issued_key_is_shown_once_and_never_again(shell: Shell) -> None:
    issued = shell.issue()
    key = LicenseKey.parse(issued["key"])
    assert issued["email"] == "ada@example.com"
    shown = shell("license", "show", issued["id"])
    assert "ada@example.com" in shown
    assert key.hint in shown
    assert key.symbols[:5] not in shown + shell("license", "list")


def test_the_note_for_people_is_not_part_of_the_result(shell: Shell) -> None:
    line = ("license", "issue", "--product", "db-api", "--email", "ada@example.com")
    done = shell.run(*line)
    assert "LIC-" in done.stdout
    assert "this once" in done.stderr
    assert "this once" not in done.stdout


def test_the_life_of_a_license(shell: Shell) -> None:
    license_id = shell.issue("--for", "30d")["id"]
    for change, status in (("suspend", "suspended"), ("reinstate", "active"), ("renew", "active")):
        options = ["--for", "365d"] if change == "renew" else []
        assert shell.json("license", change, license_id, *options)["status"] == status
    assert shell.json("license", "revoke", license_id)["status"] == "revoked"
    assert "revoked" in shell("license", "reinstate", license_id, status=3)
    assert "revoked" in shell("license", "renew", license_id, "--for", "1d", status=3)


def test_lists_for_scripts_are_json_and_empty_lists_too(shell: Shell) -> None:
    assert shell.json("license", "list") == []
    first = shell.issue("--trial")["id"]
    shell("product", "create", "other", "--name", "Other")
    second = shell.json("license", "issue", "--product", "other", "--email", "eve@example.com")
    listed = [entry["id"] for entry in shell.json("license", "list")]
    assert sorted(listed) == sorted([first, second["id"]])
    by_owner = shell.json("license", "list", "--email", "ADA@example.com")
    assert [entry["id"] for entry in by_owner] == [first]
    by_end = shell.json("license", "list", "--order", "ends-first")
    assert [entry["id"] for entry in by_end] == sorted(listed)
    assert [entry["code"] for entry in shell.json("product", "list")] == ["db-api", "other"]


def test_what_happened_to_a_license_is_told_newest_first(shell: Shell) -> None:
    license_id = shell.issue()["id"]
    shell("license", "suspend", license_id)
    told = shell.json("license", "history", license_id)
    assert [one["action"] for one in told] == ["license.suspend", "license.issue"]
    assert "license.suspend" in shell("license", "history", license_id, "-n", "1")


def test_operators_are_let_in_and_out(shell: Shell) -> None:
    made = shell.json("operator", "add", "grace", "--role", "support")
    assert made["totp_uri"].startswith("otpauth://totp/")
    assert "of this name already" in shell("operator", "add", "grace", "--role", "owner", status=3)
    assert shell.json("operator", "change", "grace", "--role", "owner")["role"] == "owner"
    assert shell.json("operator", "reset", "grace")["password"] != made["password"]
    assert shell.json("operator", "sign-out", "grace") == {"ended": 0}
    assert shell.json("operator", "disable", "grace")["disabled_at"] is not None
    assert shell.json("operator", "enable", "grace")["disabled_at"] is None
    listed = shell("operator", "list")
    assert "grace" in listed
    assert made["password"] not in listed
    assert "no operator of this name" in shell("operator", "reset", "eve", status=3)


@pytest.mark.parametrize(
    ("line", "status", "text"),
    [
        (["license", "show", "lic_x"], 3, "no license"),
        (["license", "issue", "--product", "x", "--email", "a@b.example"], 3, "no product x"),
        (["license", "issue", "--product", "db-api", "--email", "ada"], 2, "exactly one @"),
        (["license", "issue", "--product", "db-api"], 2, "--email"),
        (["license", "issue", "--product", "db-api", "--email", "a@b.example", "--for", "0d"], 2,
         "lasts_seconds"),
        (["license", "issue", "--product", "db-api", "--email", "a@b.example", "--for", "1d",
          "--expires", "2030-01-01"], 2, "not both"),
        (["license", "issue", "--product", "db-api", "--email", "a@b.example", "--trial",
          "--expires", "2030-01-01"], 2, "trial"),
        (["license", "issue", "--product", "db-api", "--email", "a@b.example", "--expires",
          "soon"], 2, "2027-01-31"),
        (["product", "create", "db-api", "--name", "x"], 3, "already"),
        (["product", "create", "two", "--name", "x", "--limit", "seats"], 2, "whole number"),
        (["product", "create", "two", "--name", "x", "--key-prefix", "low"], 2, "key_prefix"),
        (["nothing"], 2, "No such command"),
    ],
)  # fmt: skip
def test_a_mistake_ends_with_its_status_and_one_clear_text(
    shell: Shell, line: list[str], status: int, text: str
) -> None:
    said = shell(*line, status=status)
    assert text in said
    assert "Traceback" not in said


def test_the_trust_of_applications_is_the_newest_key_set_and_holds_no_secret(
    shell: Shell, tmp_path: Path
) -> None:
    output = tmp_path / "trust.json"
    shell("keyset", "export-trust", "-o", str(output))
    assert json.loads(output.read_text()) == json.loads(shell("keyset", "export-trust"))
    assert json.loads((shell.folder / "keyset.json").read_text()) == [
        json.loads(output.read_text())
    ]
    assert "PRIVATE" not in output.read_text()


def test_the_root_key_is_needed_by_no_command(shell: Shell) -> None:
    (shell.folder / "root.key").unlink()
    shell.issue()
    shell("keyset", "export-trust")


def spoil_mode(folder: Path) -> None:
    (folder / "signing.key").chmod(0o640)


def spoil_missing(folder: Path) -> None:
    (folder / "signing.key").unlink()


def spoil_garbage(folder: Path) -> None:
    (folder / "signing.key").write_text("garbage")


def spoil_other_key(folder: Path) -> None:
    (folder / "root.key").replace(folder / "signing.key")


def spoil_keyset(folder: Path) -> None:
    text = (folder / "keyset.json").read_text()
    (folder / "keyset.json").write_text(text.replace('"signature": "', '"signature": "A'))


def spoil_schema(folder: Path) -> None:
    (folder / "license-server.db").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (spoil_mode, "chmod 600"),
        (spoil_missing, "signing.key"),
        (spoil_garbage, "PEM"),
        (spoil_other_key, "newest key set"),
        (spoil_keyset, "key set"),
        (spoil_schema, "license-server migrate"),
    ],
)
def test_serve_does_not_start_on_what_it_cannot_trust(
    shell: Shell, spoil: Callable[[Path], None], text: str
) -> None:
    spoil(shell.folder)
    before = sorted(path.name for path in shell.folder.iterdir())
    said = shell.start("serve", env={"PORT": "0"})
    assert said.status == 78
    assert text in said.stderr
    assert "Traceback" not in said.stderr
    assert sorted(path.name for path in shell.folder.iterdir()) == before


def test_migrate_makes_a_missing_database(shell: Shell) -> None:
    (shell.folder / "license-server.db").unlink()
    assert "license-server migrate" in shell("license", "list", status=6)
    shell("migrate")
    assert shell.json("license", "list") == []
    assert mode(shell.folder / "license-server.db") == 0o600


def test_help_shows_examples(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    groups = {
        "license": ("issue", "list", "show", "history", "suspend", "reinstate", "revoke", "renew",
                    "convert", "transfer", "rotate-key", "change", "file"),
        "product": ("create", "change", "show", "list"),
        "deployment": ("list", "block", "unblock", "remove"),
        "owner": ("find", "export", "erase"),
        "token": ("create", "list", "revoke"),
        "operator": ("add", "list", "change", "reset", "disable", "enable", "sign-out"),
        "audit": ("tail", "export", "checkpoint", "verify"),
        "keyset": ("export-trust", "show", "draft", "sign", "install"),
        "keys": ("list", "new", "promote", "revoke", "new-root"),
        "clock": ("accept",),
        "config": ("show",),
        "doctor": (),
        "stats": (),
        "backup": ("create", "verify"),
        "restore": (),
        "mail": ("list", "resend"),
        "webhook": ("create", "list", "change", "remove", "rotate-secret", "test", "deliveries",
                    "replay"),
        "init": (), "serve": (), "worker": (), "migrate": (),
    }  # fmt: skip
    inner = [[group, command] for group, commands in groups.items() for command in commands]
    for line in ([], *([group] for group in groups), *inner):
        assert "license-server" in shell(*line, "--help").partition("Examples:")[2], line


def test_a_backup_of_a_running_server_makes_another_one(shell: Shell, tmp_path: Path) -> None:
    issued = shell.issue()
    file, folder = tmp_path / "backup.tar.gz", tmp_path / "again"
    shell("backup", "create", str(file))
    assert mode(file) == 0o600
    assert "whole" in shell("backup", "verify", str(file))
    shell.issue()
    shell("restore", str(file), "--to", str(folder))
    assert {path.name for path in folder.iterdir()} == FILES - {"root.key"}
    again = Shell(folder)
    assert [one["id"] for one in again.json("license", "list")] == [issued["id"]]
    assert "not empty" in shell("restore", str(file), "--to", str(folder), status=6)
    assert "cannot back up" in shell("backup", "create", str(file), status=6)


def test_a_backup_that_is_not_whole_is_named_and_not_restored(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    shell("backup", "create", str(file))
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-40], b"", b"garbage" * 100):
        file.write_bytes(content)
        assert "backup" in shell("backup", "verify", str(file), status=6)
        assert "backup" in shell("restore", str(file), "--to", str(tmp_path / "no"), status=6)
    assert not (tmp_path / "no").exists()


def test_a_restored_old_backup_is_shown_by_a_checkpoint(shell: Shell, tmp_path: Path) -> None:
    shell("backup", "create", str(tmp_path / "old.tar.gz"))
    shell.issue()
    shell("audit", "checkpoint")
    checkpoints = str(shell.folder / "audit-checkpoints.jsonl")
    assert "sound" in shell("audit", "verify", "--against", checkpoints)
    shell("restore", str(tmp_path / "old.tar.gz"), "--to", str(tmp_path / "again"))
    again = Shell(tmp_path / "again")
    assert "sound" in again("audit", "verify")
    done = again.run("audit", "verify", "--against", checkpoints)
    assert (done.status, "old backup" in done.stdout) == (1, True)


def test_settings_are_shown_without_their_secrets(shell: Shell) -> None:
    env = {
        "SMTP_PASSWORD": "hunter2",
        "DATABASE_URL": "postgresql://u:hunter2@h/d",
        "RATE_LIMIT_STORAGE_URI": "redis://:hunter2@h",
    }
    shown = shell("config", "show", env=env)
    assert "hunter2" not in shown
    assert "SMTP_PASSWORD".replace("_", " ") in shown.replace("_", " ")


def test_a_doctor_names_what_to_mend_by_stable_ids(shell: Shell) -> None:
    findings = {one["id"]: one for one in shell.json("doctor")}
    levels = {id_: one["level"] for id_, one in findings.items()}
    assert "FAIL" not in levels.values()
    assert {levels[id_] for id_ in ("K001", "K002", "K003", "K004", "D000", "C001")} == {"PASS"}
    assert {levels[id_] for id_ in ("K005", "M001", "A001", "P001", "R001")} == {"WARN"}
    assert all(one["remedy"] for one in findings.values() if one["level"] != "PASS")


@pytest.mark.parametrize(
    ("env", "finding"),
    [
        ({"DATABASE_URL": "postgresql://u:hunter2@db.example/d"}, "D001"),
        ({"DATABASE_URL": "postgresql://u:hunter2@db.example/d?sslmode=prefer"}, "D001"),
        ({"TLS_CERT_FILE": "/nothing", "TLS_KEY_FILE": "/nothing"}, "T001"),
        ({"PEPPERS_FILE": "/nothing"}, "F001"),
        ({"SEALING_KEY_FILE": "keyset.json"}, "F002"),
        ({"SIGNING_KEY_FILE": "root.key"}, "K001"),
    ],
)
def test_what_a_doctor_fails_is_no_server_to_start(
    shell: Shell, env: dict[str, str], finding: str
) -> None:
    shown = shell.run("serve", env=env)
    assert shown.status == 78
    assert f"{finding}: " in shown.stderr
    assert "hunter2" not in shown.stderr


def test_a_doctor_ends_with_1_when_something_fails(shell: Shell) -> None:
    (shell.folder / "license-server.db").write_bytes(b"")
    done = shell.run("doctor")
    assert (done.status, "FAIL  D000" in done.stdout) == (1, True)


def request_for(made: Mapping[str, Any], folder: Path, **changes: object) -> str:
    """Write what `license-client request` writes for a license; where it is."""
    path = folder / "this-machine.json"
    members = {
        "v": 1,
        "product": made["product"],
        "email": made["email"],
        "key_hint": made["key"][-4:],
        "instance_id": "press-2",
        "client": {"name": "license-client", "version": "1.0.0"},
    }
    path.write_text(json.dumps({**members, **changes}))
    return str(path)


def test_a_license_file_is_made_by_a_request_alone(shell: Shell, tmp_path: Path) -> None:
    made = shell.issue()
    key = tmp_path / "key.txt"
    key.write_text(made["key"])
    file = tmp_path / "ada.license"
    request = request_for(made, tmp_path)
    shell("license", "file", "--request", request, "--key-file", str(key), "-o", str(file))
    packed = json.loads(base64.b64decode("".join(file.read_text().splitlines()[1:-1])))
    claims = json.loads(base64url.decode(packed["file"].split(".")[1]))
    assert (claims["sub"], claims["ins"]) == (made["id"], "press-2")


def test_a_request_that_names_no_license_or_two_is_refused(shell: Shell, tmp_path: Path) -> None:
    made = shell.issue()
    key = tmp_path / "key.txt"
    key.write_text(made["key"])
    line = ("license", "file", "--key-file", str(key), "-o", str(tmp_path / "ada.license"))

    def refused(*options: str, status: int) -> str:
        return shell(*line, *options, status=status)

    stranger = request_for(made, tmp_path, email="eve@example.com")
    assert "no license of db-api" in refused("--request", stranger, status=3)
    broken = request_for(made, tmp_path, key_hint="none")
    assert "key_hint" in refused("--request", broken, status=2)
    good = request_for(made, tmp_path)
    assert "not both" in refused("--request", good, "--instance", "x", status=2)
    assert "LICENSE or --request" in refused(status=2)
    assert not (tmp_path / "ada.license").exists()


def test_a_doctor_tells_of_a_storage_of_rate_limits_that_does_not_answer(shell: Shell) -> None:
    for uri, way in (
        (f"redis://:hunter2@127.0.0.1:{free_port()}", "PASS"),
        ("valkey://:hunter2@cache.invalid", "WARN"),
        ("rediss://:hunter2@cache.invalid", "PASS"),
    ):
        done = shell.run("doctor", env={"RATE_LIMIT_STORAGE_URI": uri})
        assert (done.status, f"{way}  L001" in done.stdout) == (1, True)
        assert "FAIL  L002" in done.stdout
        assert "hunter2" not in done.stdout + done.stderr


def test_without_the_client_library_of_redis_the_extra_is_named(shell: Shell) -> None:
    hidden = "import sys; sys.modules['redis'] = None; from license_server.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", hidden, "--dir", str(shell.folder), "serve"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PORT": "0", "ADMIN_PORT": "0", "RATE_LIMIT_STORAGE_URI": "redis://h"},
    )
    assert done.returncode == 78
    assert "license-server[redis]" in done.stderr
    assert "Traceback" not in done.stderr
