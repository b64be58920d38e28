"""What `license-server doctor` asks others: the mail server, the folder's past, the database."""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from click.testing import CliRunner, Result

from license_server.cli import main
from support.tcp_forwarder import free_port
from support.tls import TlsFiles, issue_certificate

USER, PASSWORD = "shop", "correct-horse-battery"
DAY_SECONDS = 86_400


def run(folder: Path, *line: str, env: Mapping[str, str] | None = None) -> Result:
    """Run a command of the server in `folder`."""
    return CliRunner().invoke(main, ["--dir", str(folder), *line], env=env)


def examined(folder: Path, env: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    """Return the doctor's exit status, and the findings by id."""
    done = run(folder, "doctor", "--json", env=env)
    return done.exit_code, {finding["id"]: finding for finding in json.loads(done.stdout)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a server."""
    assert run(tmp_path, "init", str(tmp_path / "vendor")).exit_code == 0
    return tmp_path / "vendor"


@pytest.fixture
def tls(tmp_path: Path) -> TlsFiles:
    """Make a certificate for loopback."""
    return issue_certificate(tmp_path, "localhost")


def let_in(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object
) -> AuthResult:
    assert isinstance(given, LoginPassword)
    is_right = given == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)  # the server says so itself


@contextmanager
def mail_server(tls: TlsFiles | None) -> Iterator[dict[str, str]]:
    """Run a mail server, and yield the settings that it wants; it says STARTTLS only with TLS."""
    options: dict[str, Any] = {}
    if tls is not None:
        context = tls.server_context()
        options = {"tls_context": context, "require_starttls": True, "authenticator": let_in}
    controller = Controller(
        Sink(), hostname="127.0.0.1", port=free_port(), server_hostname="localhost", **options
    )
    controller.start()
    try:
        ca = {"SSL_CERT_FILE": str(tls.ca)} if tls else {}
        yield {
            "SMTP_HOST": "localhost", "SMTP_PORT": str(controller.port), "SMTP_USERNAME": USER,
            "SMTP_PASSWORD": PASSWORD, **ca,
        }  # fmt: skip
    finally:
        controller.stop()


def test_a_server_in_order_has_nothing_to_mend(folder: Path, tls: TlsFiles, tmp_path: Path) -> None:
    (folder / "root.key").unlink()
    for line in (("audit", "checkpoint"), ("backup", "create", str(tmp_path / "backup.tar.gz"))):
        assert run(folder, *line).exit_code == 0
    with mail_server(tls) as settings:
        env = settings | {"PUBLIC_URL": "https://licenses.example"}
        status, findings = examined(folder, env)
    assert status == 0
    del findings["U001"]  # whoever runs the tests
    assert {finding["level"] for finding in findings.values()} == {"PASS"}
    assert findings["M002"]["text"] == "the mail server lets this server in"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"SMTP_PASSWORD": "hunter2"}, "answered 535"),
        ({"SSL_CERT_FILE": ""}, "cannot be used"),
        ({"SMTP_HOST": "127.0.0.1"}, "cannot be used"),
        ({"SMTP_SECURITY": "tls"}, "cannot be used"),
        ({"SMTP_PORT": "9"}, "cannot be used"),
    ],
)
def test_a_mail_server_that_takes_no_mail_from_here_is_a_failure(
    folder: Path, tls: TlsFiles, env: dict[str, str], said: str
) -> None:
    with mail_server(tls) as settings:
        status, findings = examined(folder, settings | env)
    assert (status, findings["M002"]["level"]) == (1, "FAIL")
    assert said in findings["M002"]["text"]
    assert "SMTP_PASSWORD" in findings["M002"]["remedy"]
    for secret in ("hunter2", PASSWORD):
        assert secret not in json.dumps(findings)


def test_a_mail_server_without_tls_is_told_no_password(folder: Path) -> None:
    with mail_server(None) as settings:
        status, findings = examined(folder, settings)
    assert (status, findings["M002"]["level"]) == (1, "FAIL")


def test_without_a_mail_server_nobody_is_asked(folder: Path) -> None:
    assert "M002" not in examined(folder)[1]


def test_the_age_of_the_last_backup_is_known(folder: Path, tmp_path: Path) -> None:
    assert examined(folder)[1]["R001"]["text"] == "no backup was made from this folder"
    assert run(folder, "backup", "create", str(tmp_path / "backup.tar.gz")).exit_code == 0
    assert examined(folder)[1]["R001"]["level"] == "PASS"
    week_ago = time.time() - 8 * DAY_SECONDS
    os.utime(folder / "last-backup", (week_ago, week_ago))
    finding = examined(folder)[1]["R001"]
    assert (finding["level"], "last backup is of 20" in finding["text"]) == ("WARN", True)


def test_a_refused_backup_is_none(folder: Path) -> None:
    assert run(folder, "backup", "create", str(folder / "signing.key")).exit_code == 6
    assert examined(folder)[1]["R001"]["level"] == "WARN"


def test_the_growth_of_the_audit_log_is_told(folder: Path) -> None:
    before = examined(folder)[1]["D005"]["text"]
    line = ("product", "create", "db-api", "--name", "Data API")
    assert run(folder, *line).exit_code == 0
    after = examined(folder)[1]["D005"]["text"]
    assert "MiB" in after
    grown = [int(text.partition("grew by ")[2].split()[0]) for text in (before, after)]
    assert grown[1] == grown[0] + 1


def test_a_database_without_one_of_its_tables_hides_nothing_else(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "license-server.db")) as database:
        database.execute("ALTER TABLE outbox RENAME TO gone")
        database.commit()
    status, findings = examined(folder)
    assert (status, findings["D000"]["level"], findings["K001"]["level"]) == (1, "FAIL", "PASS")
