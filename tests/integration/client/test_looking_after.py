"""The commands that look: at the cache, at what is sent, at all that a license stands on."""

import json
import re
import signal
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

import license_client
from license_client.testing.simulator import License, Simulator
from support.client_commands import BIN, configured, run
from support.client_machine import Machine
from support.client_network import serving
from support.switches import saying
from support.tls import issue_certificate

NEW_KEY = "fedcba9876543210" * 4
PACKAGE = Path(license_client.__file__).parent
COMMANDS = Path(__file__).parents[3] / "license_client" / "COMMANDS.md"


def shown(environ: dict[str, str]) -> dict[str, Any]:
    done = run(environ, "license-client", "cache", "show", "--json")
    members: dict[str, Any] = json.loads(done.stdout)
    return members


def findings(environ: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Return the exit status of a doctor, and the level of each finding by its id."""
    done = run(environ, "license-client", "doctor", "--json")
    return done.returncode, {found["id"]: found["level"] for found in json.loads(done.stdout)}


def test_a_cache_shows_what_it_holds_and_no_key_or_email(
    environ: dict[str, str], machine: Machine, license_: License
) -> None:
    machine.start().activate()
    settings = configured(environ, license_, "https://license.example")
    members = shown(settings)
    assert members["decision"] == "VALID"
    assert members["license_id"] == license_.license_id
    assert members["sealed_with_current_key"] is True
    assert members["keyset_epoch"] == 1
    text = run(settings, "license-client", "cache", "show").stdout
    assert "keyset epoch            1\n" in text
    assert license_.key not in text + json.dumps(members)
    assert license_.email not in text + json.dumps(members)


def test_a_cache_of_somebody_else_shows_as_such(environ: dict[str, str], machine: Machine) -> None:
    machine.start().activate()
    assert shown(environ)["is_of_another_owner"] is True


def test_a_cache_is_sealed_anew_and_the_previous_key_can_go(
    environ: dict[str, str], machine: Machine, license_: License
) -> None:
    before = machine.start().activate()
    old = environ["LICENSE_ENCRYPTION_KEY"]
    rotating = {**environ, "LICENSE_ENCRYPTION_KEY": NEW_KEY}
    refused = run(rotating, "license-client", "cache", "rekey")
    assert (refused.returncode, refused.stdout) == (7, "")
    done = run(
        {**rotating, "LICENSE_ENCRYPTION_KEY_PREVIOUS": old}, "license-client", "cache", "rekey"
    )
    assert done.returncode == 0
    assert done.stdout.startswith("Sealed ")
    again = run(rotating, "license-client", "cache", "rekey")
    assert (again.returncode, again.stdout) == (0, "")
    assert machine.start(encryption_key=NEW_KEY).status().usable
    assert machine.start(encryption_key=NEW_KEY).status().license_id == before.license_id
    assert license_.key not in done.stdout + done.stderr


def test_a_cache_is_removed_when_that_is_meant(environ: dict[str, str], machine: Machine) -> None:
    machine.start().activate()
    asked = run(environ, "license-client", "cache", "clear")  # nobody there to say yes
    assert asked.returncode == 1
    assert machine.cache.exists()
    assert run(environ, "license-client", "cache", "clear", "--yes").returncode == 0
    assert not machine.cache.exists()
    assert run(environ, "license-client", "cache", "clear", "--yes").stdout == ""


def test_what_is_sent_is_what_the_server_gets(
    environ: dict[str, str], machine: Machine, server: Simulator, license_: License
) -> None:
    with serving(server) as url:
        settings = configured(environ, license_, url)
        run(settings, "license-client", "activate")
        told = run(settings, "license-client", "what-is-sent", "--reveal")
    expected = server.requests[0].members
    assert json.loads(told.stdout) == {**expected, "nonce": json.loads(told.stdout)["nonce"]}
    assert json.loads(told.stdout)["nonce"] != expected["nonce"]
    masked = run(settings, "license-client", "what-is-sent")
    assert license_.key not in masked.stdout + masked.stderr
    assert len(server.requests) == 1
    assert machine.cache.exists()


def test_a_healthy_machine_passes(
    environ: dict[str, str], machine: Machine, server: Simulator, license_: License
) -> None:
    machine.start().activate()
    before = machine.cache.read_bytes()
    with serving(server) as url:
        status, levels = findings(configured(environ, license_, url))
    assert status == 0
    assert set(levels.values()) == {"PASS"}
    assert machine.cache.read_bytes() == before


def test_each_step_of_the_way_that_fails_is_named(
    environ: dict[str, str], server: Simulator, license_: License, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    files = issue_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    with serving(server, context) as url:
        untrusted = configured(environ, license_, url)
        trusted = {**untrusted, "LICENSE_CA_FILE": str(files.ca)}
        assert findings(untrusted)[1]["N003"] == "FAIL"
        assert findings(trusted)[0] == 0
        server.switch = saying(502, b"<html>")
        assert findings(trusted)[1]["V001"] == "FAIL"
    for url, id_ in (
        ("https://nonexistent.invalid", "N001"),
        (f"https://127.0.0.1:{port}", "N002"),
    ):
        status, levels = findings(configured(environ, license_, url))
        assert (status, levels[id_]) == (1, "FAIL")
        assert "V001" not in levels


def test_what_is_wrong_on_the_machine_is_named(
    environ: dict[str, str], machine: Machine, license_: License
) -> None:
    machine.start().activate()
    machine.cache.chmod(0o644)
    settings = configured(environ, license_, "https://nonexistent.invalid")
    assert findings(settings)[1]["C003"] == "WARN"
    machine.cache.write_bytes(b"damage")
    assert findings(settings)[1]["C002"] == "FAIL"
    assert findings({**settings, "LICENSE_ENCRYPTION_KEY": ""})[1]["S002"] == "WARN"
    assert (
        findings({**settings, "LICENSE_CACHE_DIR": environ["LICENSE_TRUST_FILE"] + "/in"})[1][
            "C001"
        ]
        == "FAIL"
    )
    assert findings({**settings, "LICENSE_KEY": "x", "LICENSE_CA_FILE": "none"}) == (
        1,
        {"S000": "FAIL"},
    )


def test_the_document_of_the_commands_tells_of_every_finding() -> None:
    sources = "".join((PACKAGE / name).read_text() for name in ("_examination.py", "_commands.py"))
    ids = set(re.findall(r'"([A-Z]\d{3})"', sources))
    document = COMMANDS.read_text()
    assert len(ids) > 10
    assert {id_ for id_ in ids if f"`{id_}`" not in document} == set()


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_status_is_watched_until_ctrl_c(
    environ: dict[str, str],
    machine: Machine,
    server: Simulator,
    license_: License,
    flags: tuple[str, ...],
) -> None:
    machine.start().activate()
    # what a shell starts in the background ignores this signal, and so would the command
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [str(BIN / "license-client"), "status", "--watch", *flags],
        env={**configured(environ, license_, ""), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        assert "ACTIVE" in watching.stdout.readline()
        server.change(license_, code="REVOKED")
        machine.start().validate()
        line = next(line for line in watching.stdout if "REVOKED" in line)
        assert not flags or json.loads(line)["usable"] is False
        watching.send_signal(signal.SIGINT)
        assert watching.wait() == 3
