"""What the commands print."""

import json

from click.testing import CliRunner

from license_client import _commands, _report
from license_client._credentials import read_key
from license_client.testing.clock import DAY, NOON
from license_client.testing.simulator import License, Simulator
from license_client.testing.vendor import make_key
from support.client_machine import Machine

NOBODY = {"LICENSE_PRODUCT": "", "LICENSE_TRUST_FILE": "", "LICENSE_KEY": "", "LICENSE_EMAIL": ""}


def test_a_key_is_shown_by_its_ends() -> None:
    key = make_key(1)
    assert _report.masked(read_key(key)) == f"{key[:6]}...{key[-4:]}"


def test_an_activation_is_told_in_the_words_that_users_know(machine: Machine) -> None:
    text = _report.activated(machine.start().activate(), machine.cache)
    assert text.startswith("✔ License activated successfully!")
    assert "Type:    Paid License" in text
    assert "Expires: Never (lifetime license)" in text
    assert text.endswith(f"License file saved to: {machine.cache}")


def test_a_status_is_told_as_text_and_as_json(
    machine: Machine, server: Simulator, license_: License
) -> None:
    server.change(license_, expires=NOON + DAY, warnings=("EXPIRING_SOON",))
    status = machine.start().activate()
    text = _report.as_text(status)
    assert text.startswith("ACTIVE: The license is valid.")
    assert "2027-01-16" in text
    assert "EXPIRING_SOON" in text
    told = json.loads(_report.as_json(status))
    assert told["usable"] is True
    assert told["expires_at"].endswith("+00:00")
    assert told["limits"] == {"seats": 5}
    assert told.keys() == set(status._fields)


def test_a_command_without_settings_names_them_and_ends_with_6() -> None:
    done = CliRunner().invoke(_commands.license_client, ["status", "--json"], env=NOBODY)
    assert done.exit_code == 6
    assert json.loads(done.stdout)["code"] == "CONFIG_INVALID"
    assert "LICENSE_PRODUCT" in done.stderr
    assert "LICENSE_TRUST_FILE" in done.stderr


def test_a_command_that_is_misused_ends_with_2() -> None:
    assert CliRunner().invoke(_commands.activate_license, ["--key", "x"]).exit_code == 2
    assert CliRunner().invoke(_commands.license_client, ["dance"]).exit_code == 2


def test_help_has_examples_and_every_exit_status() -> None:
    for command in (_commands.activate_license, _commands.license_client):
        text = CliRunner().invoke(command, ["-h"]).stdout
        assert "Examples:" in text
        assert "7 rejected for security" in text
