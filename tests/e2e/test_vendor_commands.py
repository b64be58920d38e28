"""The vendor's commands on a server elsewhere: over TLS, with a token, through failures."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import run_command
from support.servers import RunningServer
from support.vendor import PRODUCT, Vendor

Done = subprocess.CompletedProcess[str]
Elsewhere = Callable[..., Done]

DONE, USAGE, NOT_ALLOWED, NOT_NOW, CONFIGURATION = 0, 2, 4, 5, 6
BUYERS = "product,email\ndb-api,bob@example.com\ndb-api,carol@example.com\n"


@pytest.fixture(scope="module")
def token(vendor: Vendor) -> str:
    """Make the token of somebody who sells."""
    made = vendor.command("token", "create", "--name", "shop", "--role", "issuer", "--json")
    return str(json.loads(made)["token"])


@pytest.fixture(scope="module")
def admin_url(license_server: RunningServer) -> str:
    """Return where the admin API listens."""
    return str(license_server.wait_for_event("server.listening", listener="admin")["url"])


@pytest.fixture
def elsewhere(vendor: Vendor, token: str, admin_url: str) -> Elsewhere:
    """Run a command on the server, from a machine that has its address, token and authority."""
    usual = {"LICENSE_ADMIN_TOKEN": token, "SSL_CERT_FILE": str(vendor.ca)}

    def run(*line: str, url: str = admin_url, **env: str) -> Done:
        done = run_command("license-server", "--server", url, *line, env=usual | env)
        assert token not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


def require_refused(done: Done, status: int, *said: str) -> None:
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert all(word in done.stderr for word in said), done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


def test_licenses_are_issued_and_listed_on_a_server_elsewhere(elsewhere: Elsewhere) -> None:
    order = ("license", "issue", "--product", PRODUCT, "--email", "ada@example.com", "--json")
    issued = elsewhere(*order)
    assert issued.returncode == DONE, issued.stderr
    license_ = json.loads(issued.stdout)
    listed = json.loads(elsewhere("license", "list", "--json").stdout)
    assert license_["id"] in [one["id"] for one in listed]
    assert license_["key"] not in json.dumps(listed)


def test_many_licenses_go_both_ways(elsewhere: Elsewhere, tmp_path: Path) -> None:
    buyers, keys, export = (tmp_path / name for name in ("buyers.csv", "keys.ndjson", "all.ndjson"))
    buyers.write_text(BUYERS)
    imported = elsewhere("license", "import", str(buyers), "-o", str(keys))
    assert (imported.returncode, imported.stderr) == (DONE, "imported 2\n")
    assert keys.stat().st_mode & 0o777 == 0o600
    *made, end = map(json.loads, keys.read_text().splitlines())
    assert end == {"imported": 2}
    assert elsewhere("license", "export", "-o", str(export)).returncode == DONE
    exported = [json.loads(line) for line in export.read_text().splitlines()]
    assert {one["id"] for one in made} <= {one["id"] for one in exported}


@pytest.mark.parametrize(
    "line", [("keyset", "show"), ("keyset", "export-trust"), ("keys", "list"), ("doctor",)]
)
def test_what_works_on_files_is_no_command_for_a_server_elsewhere(
    elsewhere: Elsewhere, line: tuple[str, ...]
) -> None:
    done = elsewhere(*line)
    assert done.returncode == USAGE
    assert "leave out --server" in done.stderr


def test_a_role_may_not_do_what_it_is_not_for(elsewhere: Elsewhere) -> None:
    require_refused(elsewhere("token", "list"), NOT_ALLOWED, "role")


@pytest.mark.parametrize("token", ["lsk_" + "0" * 30, "hunter2"])
def test_a_wrong_token_is_refused(vendor: Vendor, admin_url: str, token: str) -> None:
    env = {"LICENSE_ADMIN_TOKEN": token, "SSL_CERT_FILE": str(vendor.ca)}
    done = run_command("license-server", "--server", admin_url, "license", "list", env=env)
    require_refused(done, NOT_ALLOWED, "token")
    assert token not in done.stderr


def test_a_server_that_is_down_is_a_reason_to_come_back(elsewhere: Elsewhere) -> None:
    url = "https://127.0.0.1:9"
    require_refused(elsewhere("license", "list", url=url), NOT_NOW, url, "does not answer")


@pytest.mark.parametrize(
    ("line", "env", "said"),
    [
        ({}, {"SSL_CERT_FILE": ""}, ("certificate", "not trusted", "SSL_CERT_FILE")),
        ({}, {"SSL_CERT_FILE": "/nothing"}, ("SSL_CERT_FILE", "PEM")),
        ({}, {"SSL_CERT_FILE": __file__}, ("SSL_CERT_FILE", "PEM")),
        ({}, {"LICENSE_ADMIN_TOKEN": ""}, ("LICENSE_ADMIN_TOKEN",)),
        ({"url": "http://10.1.2.3:3003"}, {}, ("https://",)),
        ({"url": "https://"}, {}, ("https://",)),
    ],
)
def test_what_has_to_be_mended_here_is_named(
    elsewhere: Elsewhere, line: dict[str, str], env: dict[str, str], said: tuple[str, ...]
) -> None:
    require_refused(elsewhere("license", "list", **line, **env), CONFIGURATION, *said)
