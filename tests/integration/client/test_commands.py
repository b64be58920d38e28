"""The commands as a customer runs them: real processes, output and exit status."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from license_client.testing.simulator import License, Simulator
from license_client.testing.vendor import Pair, make_key
from support.client_commands import configured, run
from support.client_network import serving
from support.switches import saying, signing_with


def test_activation_looks_as_users_know_it(
    environ: dict[str, str], server: Simulator, license_: License
) -> None:
    with serving(server) as url:
        typed = ("--key", f"LIC-{license_.key}", "--email", " Ada@Example.com", "-s", url)
        done = run(environ, "activate-license", *typed)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "🔐 Activating license...",
        f"   Key:   {license_.key[:6]}...{license_.key[-4:]}",
        "   Email: ada@example.com",
        "",
        "→ Validating license key...",
        "→ Activating on this machine...",
    ]
    assert "✔ License activated successfully!" in done.stdout
    assert license_.key not in done.stdout + done.stderr


def test_a_license_is_looked_after(
    environ: dict[str, str], server: Simulator, license_: License
) -> None:
    with serving(server) as url:
        settings = configured(environ, license_, url)
        assert run(settings, "license-client", "status").returncode == 3
        assert run(settings, "license-client", "activate").returncode == 0
        told = run(settings, "license-client", "status", "--json")
        assert (told.returncode, json.loads(told.stdout)["state"]) == (0, "ACTIVE")
        server.change(license_, code="SUSPENDED")
        refreshed = run(settings, "license-client", "refresh")
        assert (refreshed.returncode, refreshed.stdout.split(":")[0]) == (3, "SUSPENDED")
        server.change(license_, code="EXPIRED")
        assert run(settings, "license-client", "refresh").returncode == 4
        server.change(license_)
        assert run(settings, "license-client", "refresh").returncode == 0
        gone = run(settings, "license-client", "deactivate", "--json")
        assert (gone.returncode, json.loads(gone.stdout)["code"]) == (0, "DEACTIVATED")
        assert run(settings, "license-client", "status").returncode == 3


def test_offline_ends_with_5_unless_the_cache_is_usable(
    environ: dict[str, str], server: Simulator, license_: License
) -> None:
    with serving(server) as url:
        settings = configured(environ, license_, url)
        server.switch = saying(403, b'{"revoked":true}')
        offline = run(settings, "license-client", "refresh", "--json")
        assert (offline.returncode, json.loads(offline.stdout)["code"]) == (5, "OFFLINE")
        server.switch = None
        run(settings, "license-client", "activate")
        server.switch = saying(500)
        bridged = run(settings, "license-client", "refresh")
    assert bridged.returncode == 0
    assert bridged.stdout.startswith("ACTIVE")
    assert "answered 500" in bridged.stderr


def test_what_is_not_signed_for_us_ends_with_7(
    environ: dict[str, str], server: Simulator, license_: License
) -> None:
    with serving(server) as url:
        settings = configured(environ, license_, url)
        server.switch = signing_with(Pair("thief"))
        assert run(settings, "license-client", "activate").returncode == 7
        server.switch = None
        run(settings, "license-client", "activate")
    cache = Path(environ["LICENSE_CACHE_DIR"]) / "license.json"
    cache.write_bytes(cache.read_bytes().replace(b'"v":1', b'"v":9'))
    assert run(settings, "license-client", "status").returncode == 7


def test_mistakes_end_with_6_and_show_no_secret(environ: dict[str, str]) -> None:
    key = make_key(9)
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    done = run(environ, "activate-license", "-k", wrong, "-e", "nobody", "-s", "http://10.1.2.3")
    assert done.returncode == 6
    for name in ("LICENSE_KEY", "LICENSE_EMAIL", "LICENSE_SERVER_URL"):
        assert name in done.stderr
    assert wrong not in done.stderr


def test_without_click_a_command_says_what_to_install(environ: dict[str, str]) -> None:
    script = "import sys; sys.modules['click'] = None; from license_client.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 6
    assert done.stderr == "One package is missing here: pip install 'license-client[cli]'\n"


@pytest.mark.parametrize(
    "line",
    [
        "activate-license",
        "license-client",
        "license-client activate",
        "license-client status",
        "license-client refresh",
        "license-client deactivate",
        "license-client doctor",
        "license-client what-is-sent",
        "license-client cache show",
        "license-client cache rekey",
        "license-client cache clear",
        "license-client install",
        "license-client request",
    ],
)
def test_every_command_explains_itself_with_examples(environ: dict[str, str], line: str) -> None:
    done = run(environ, *line.split(), "--help")

    assert done.returncode == 0
    assert line in done.stdout.partition("Examples:")[2]
