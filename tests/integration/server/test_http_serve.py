"""`license-server serve` as a process: what it refuses, what it answers, what it logs."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from license_server.license_keys import LicenseKey
from license_server.repository.schema import known_revisions
from support.license_api import body
from support.raw_http import exchange
from support.servers import BIN, RunningServer, running
from support.tls import TlsFiles, issue_certificate

PROGRAM = BIN / "license-server"
OPENAPI = Path(__file__).parents[3] / "license_server" / "wire" / "openapi.json"
EMAIL = "canary.person@mail.example"
REFUSED = 78  # EX_CONFIG of sysexits.h


def run(
    folder: Path, *line: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command of the license server to its end."""
    return subprocess.run(
        (PROGRAM, "--dir", folder, *line),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **(env or {})},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a new server with one product."""
    folder = tmp_path_factory.mktemp("made") / "server"
    line = ("init", str(folder), "--product", "db-api", "--name", "Data API")
    assert run(folder, *line).returncode == 0
    return folder


@pytest.fixture(scope="module")
def key(made: Path) -> str:
    """The key of a license of `EMAIL`."""
    issued = run(made, "license", "issue", "--product", "db-api", "--email", EMAIL, "--json")
    return str(json.loads(issued.stdout)["key"])


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """A certificate for loopback."""
    return issue_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(made: Path, key: str) -> Iterator[RunningServer]:
    """Serve plain HTTP on loopback."""
    assert key
    with running(PROGRAM, "--dir", made, "serve") as started:
        yield started


def test_the_published_description_tells_the_methods_of_every_address(
    server: RunningServer,
) -> None:
    described = json.loads(OPENAPI.read_text())["paths"]
    examples = {"token": "x", "name": "problem.json"}
    answers = {
        path: httpx.request("OPTIONS", f"{server.url}{path.format_map(examples)}")
        for path in described
    }
    allowed = {
        path: set(answer.headers["allow"].split(", ")) - {"HEAD"}
        for path, answer in answers.items()
    }
    assert allowed == {
        path: {method.upper() for method in item if method != "parameters"}
        for path, item in described.items()
    }


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """A copy of the folder, to be damaged."""
    return shutil.copytree(made, tmp_path / "copy")


@pytest.mark.parametrize(
    "name", ["signing.key", "peppers.json", "keyset.json", "license-server.db"]
)
def test_a_start_without_a_file_is_refused_in_a_line_that_names_it(copy: Path, name: str) -> None:
    (copy / name).unlink()

    refused = run(copy, "serve")

    assert refused.returncode == REFUSED
    assert name in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["signing.key", "peppers.json", "keyset.json"])
def test_a_start_with_a_garbage_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).write_text("hunter2")

    refused = run(copy, "serve")

    assert refused.returncode == REFUSED
    assert "hunter2" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_start_with_a_key_that_others_can_read_is_refused(copy: Path) -> None:
    (copy / "signing.key").chmod(0o644)

    refused = run(copy, "serve")

    assert refused.returncode == REFUSED
    assert "chmod 600" in refused.stderr


def test_a_start_on_an_empty_database_is_refused_with_the_command_to_run(copy: Path) -> None:
    (copy / "license-server.db").write_bytes(b"")

    refused = run(copy, "serve")

    assert refused.returncode == REFUSED
    assert "license-server migrate" in refused.stderr


@pytest.mark.parametrize(("revision", "remedy"), [("0001", "migrate"), ("9999", "newer")])
def test_a_start_on_the_schema_of_another_version_is_refused_with_both_revisions(
    copy: Path, revision: str, remedy: str
) -> None:
    with sqlite3.connect(copy / "license-server.db") as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    database.close()

    refused = run(copy, "serve")

    assert refused.returncode == REFUSED
    for word in (revision, known_revisions()[-1], remedy):
        assert word in refused.stderr


def test_a_second_server_on_one_sqlite_file_is_refused_with_the_reason(copy: Path) -> None:
    with running(PROGRAM, "--dir", copy, "serve"):
        refused = run(copy, "serve", env={"PORT": "0", "ADMIN_PORT": "0"})

    assert refused.returncode == REFUSED
    assert "another server uses" in refused.stderr
    assert "PostgreSQL" in refused.stderr


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({"HOST": "0.0.0.0"}, "HOST"),
        ({"PORT": "99999"}, "PORT"),
        ({"TLS_CERT_FILE": "cert.pem"}, "TLS_KEY_FILE"),
        ({"TLS_CERT_FILE": "cert.pem", "TLS_KEY_FILE": "key.pem"}, "TLS_CERT_FILE"),
    ],
)
def test_a_start_with_unusable_settings_is_refused_by_name(
    copy: Path, env: dict[str, str], name: str
) -> None:
    refused = run(copy, "serve", env=env)

    assert refused.returncode == REFUSED
    assert name in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_database_that_is_down_is_no_reason_not_to_start(copy: Path) -> None:
    env = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}

    with running(PROGRAM, "--dir", copy, "serve", env=env) as started:
        ready, alive = (httpx.get(started.url + path) for path in ("/readyz", "/livez"))

    assert (ready.status_code, ready.json()["code"]) == (503, "NOT_READY")
    assert alive.status_code == 200


def test_a_right_key_gets_a_yes_over_https(copy: Path, key: str, tls: TlsFiles) -> None:
    env = {"TLS_CERT_FILE": str(tls.cert), "TLS_KEY_FILE": str(tls.key)}

    with running(PROGRAM, "--dir", copy, "serve", env=env) as started:
        answer = httpx.post(
            f"{started.url}/v1/licenses/activate",
            content=body(license_key=key, email=EMAIL),
            headers={"Content-Type": "application/json"},
            verify=tls.client_context(),
        )
        assert started.url.startswith("https://")
        assert started.stop() == 0

    assert answer.json()["code"] == "VALID"


def test_no_secret_of_a_request_reaches_the_log_or_another_answer(
    server: RunningServer, key: str
) -> None:
    unknown = LicenseKey.generate().reveal("LIC")
    json_type = {"Content-Type": "application/json"}
    contents = [
        body(license_key=key, email=EMAIL),
        body(license_key=unknown, email=EMAIL),
        body(license_key=key, email=f"other.{EMAIL}"),
        body(license_key=key, email=EMAIL, nonce=key),
        body(license_key=key, email=EMAIL)[:-1],
        body(license_key=f"{key}{key}{key}{key}", email=EMAIL),
    ]
    answers = [
        httpx.post(f"{server.url}/v1/licenses/{path}", content=content, headers=json_type).text
        for path in ("activate", "validate", "deactivate", f"{key}/{EMAIL}")
        for content in contents
    ]
    answers.append(httpx.get(f"{server.url}/v1/keyset?since={key}&email={EMAIL}").text)
    answers.append(exchange(server.port, f"GET /{key} {EMAIL}\r\n\r\n".encode()).decode())
    httpx.get(f"{server.url}/livez")
    server.wait_for_event("http.access", path="/livez")

    shown = server.log + "".join(answers)
    for secret in (key, key.partition("-")[2], unknown, unknown.partition("-")[2], EMAIL):
        assert secret not in shown
        assert secret.replace("-", "") not in shown
