"""License files: what a machine that never goes online takes from its vendor, and what not."""

import json
from pathlib import Path

import pytest

from license_client import (
    AsyncLicenseClient,
    ConfigurationError,
    DecisionRejectedError,
    KeySetRejectedError,
    LicenseStatus,
    State,
)
from license_client.testing.clock import DAY, HOUR, NOON
from license_client.testing.simulator import License, Simulator, unreachable
from license_client.testing.vendor import Pair, Vendor
from support.client_machine import Machine, machine_of
from support.switches import saying

LASTS = 90 * DAY


@pytest.fixture
def machine(license_: License, server: Simulator, tmp_path: Path) -> Machine:
    """A machine that has no server to ask."""
    made = machine_of(license_, server, tmp_path / "license-data")
    made.options["server_url"] = None
    server.switch = unreachable
    return made


def install(machine: Machine, license_: License, **changes: object) -> LicenseStatus:
    file = machine.simulator.issue_file(license_, LASTS, **changes)
    return machine.start().install(file)


def refused_as(rule: str) -> "pytest.RaisesExc[DecisionRejectedError]":
    return pytest.raises(DecisionRejectedError, check=lambda error: error.rule == rule)


def test_a_file_licenses_a_machine_that_asks_nobody(machine: Machine, license_: License) -> None:
    installed = install(machine, license_)
    assert (installed.state, installed.code) == (State.ACTIVE, "VALID")
    assert machine.start().status() == installed
    assert machine.start().refresh_if_due() == installed
    assert installed.next_refresh_at is None
    assert machine.simulator.requests == []


def test_a_file_is_installed_from_where_it_is(
    machine: Machine, server: Simulator, license_: License, tmp_path: Path
) -> None:
    path = tmp_path / "ada.license"
    with pytest.raises(ConfigurationError, match="cannot read"):
        machine.start().install(path)
    path.write_bytes(server.issue_file(license_, LASTS))
    assert machine.start().install(path).usable


@pytest.mark.anyio
async def test_the_asynchronous_client_installs_as_the_other_one_does(
    machine: Machine, server: Simulator, license_: License
) -> None:
    client = AsyncLicenseClient._over(machine.start())
    installed = await client.install(server.issue_file(license_, LASTS))
    assert installed == machine.start().status()
    with refused_as("armor"):
        await client.install(b"")


def test_a_file_that_is_endless_is_not_read_to_its_end(machine: Machine) -> None:
    with refused_as("too-long"):
        machine.start().install(Path("/dev/zero"))


def test_a_file_ends_to_the_second_and_says_what_to_do(machine: Machine, license_: License) -> None:
    install(machine, license_)
    machine.clock.advance(LASTS - 1)
    assert machine.start().status().state is State.ACTIVE
    machine.clock.advance(1)
    ended = machine.start().status()
    assert (ended.state, ended.code) == (State.OFFLINE_GRACE_EXCEEDED, "OFFLINE_GRACE_EXCEEDED")
    assert "The license file ended on 2027-04-15" in ended.message
    assert "Install a newer one" in ended.message


def test_a_file_that_lay_about_has_aged_meanwhile(
    machine: Machine, server: Simulator, license_: License
) -> None:
    file = server.issue_file(license_, LASTS)
    machine.clock.advance(LASTS)
    assert not machine.start().install(file).usable


def test_a_clock_set_back_after_the_installation_gains_nothing(
    machine: Machine, license_: License
) -> None:
    install(machine, license_)
    client = machine.start()
    for _ in range(LASTS // DAY):
        machine.clock.advance(DAY)
        client.status()
    machine.clock.turn(-60 * DAY)
    assert client.status().state is State.OFFLINE_GRACE_EXCEEDED
    machine.clock.reboot()
    assert machine.start().status().state is State.OFFLINE_GRACE_EXCEEDED


def test_a_dead_clock_locks_nobody_out(machine: Machine, license_: License) -> None:
    install(machine, license_)
    machine.clock.reboot()
    machine.clock.wall = 0
    started = machine.start().status()
    assert (started.usable, started.warnings) == (True, ("CLOCK_SKEW",))


def test_a_newer_file_takes_the_place_of_an_older_one(machine: Machine, license_: License) -> None:
    install(machine, license_)
    machine.clock.advance(80 * DAY)
    renewed = install(machine, license_)
    machine.clock.advance(80 * DAY)
    assert renewed.grace_until == machine.start().status().grace_until
    assert machine.start().status().state is State.ACTIVE


def test_a_file_is_installed_twice_without_gaining_time(
    machine: Machine, server: Simulator, license_: License
) -> None:
    file = server.issue_file(license_, LASTS)
    machine.start().install(file)
    machine.clock.advance(30 * DAY)
    machine.start().status()
    before = machine.cache.read_bytes()
    assert machine.start().install(file).usable
    assert machine.cache.read_bytes() == before


@pytest.mark.parametrize("code", ["VALID", "SUSPENDED", "REVOKED"])
@pytest.mark.parametrize("age", [0, HOUR])
def test_an_older_file_never_takes_the_place_of_what_the_vendor_said_since(
    machine: Machine, server: Simulator, license_: License, code: str, age: int
) -> None:
    file = server.issue_file(license_, LASTS)
    machine.clock.advance(age)
    server.switch = None
    server.change(license_, code=code)
    online = machine.start(server_url="https://license.example")
    before, cached = online.activate(), machine.cache.read_bytes()
    with refused_as("not-newer"):
        online.install(file)
    assert machine.cache.read_bytes() == cached
    assert machine.start(server_url="https://license.example").status() == before


def test_an_older_file_never_takes_the_place_of_a_newer_one(
    machine: Machine, server: Simulator, license_: License
) -> None:
    older = server.issue_file(license_, 400 * DAY)
    machine.clock.advance(1)
    installed = install(machine, license_)
    with refused_as("not-newer"):
        machine.start().install(older)
    assert machine.start().status() == installed


def test_an_answer_of_the_server_takes_the_place_of_a_file(
    machine: Machine, server: Simulator, license_: License
) -> None:
    install(machine, license_)
    server.switch = None
    server.clock_shift = -HOUR
    server.change(license_, code="REVOKED")
    assert machine.start(server_url="https://license.example").validate().state is State.REVOKED
    assert machine.start().status().state is State.REVOKED


def test_a_file_brings_a_suspended_license_back_when_the_vendor_made_it_later(
    machine: Machine, server: Simulator, license_: License
) -> None:
    server.switch = None
    server.change(license_, code="SUSPENDED")
    machine.start(server_url="https://license.example").activate()
    machine.clock.advance(1)
    assert install(machine, license_).usable


def test_a_machine_with_a_file_asks_again_within_a_week_when_it_can(
    machine: Machine, server: Simulator, license_: License
) -> None:
    install(machine, license_)
    server.switch = None
    online = machine.start(server_url="https://license.example")
    online.refresh_if_due()
    assert server.requests == []
    machine.clock.advance(7 * DAY)
    assert online.refresh_if_due().usable
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"aud": "other-product"}, "audience"),
        ({"iss": "ls_other"}, "issuer"),
        ({"ins": "another-machine"}, "instance"),
        ({"kb": "A" * 43}, "key-binding"),
        ({"own": "A" * 43}, "owner-binding"),
        ({"req": "A" * 43}, "claims"),
        ({"val": False}, "code"),
        ({"grc": NOON + LASTS + 2}, "times"),
    ],
)
def test_a_file_that_is_not_for_us_leaves_the_cache_as_it_was(
    machine: Machine, license_: License, changes: dict[str, object], rule: str
) -> None:
    with refused_as(rule):
        install(machine, license_, **changes)
    assert not machine.cache.exists()
    installed = install(machine, license_)
    cached = machine.cache.read_bytes()
    machine.clock.advance(1)
    with refused_as(rule):
        install(machine, license_, **changes)
    assert machine.cache.read_bytes() == cached
    assert machine.start().status() == installed


def test_a_file_of_another_owner_licenses_nobody(
    machine: Machine, server: Simulator, license_: License
) -> None:
    file = server.issue_file(license_, LASTS)
    stranger = server.sell(2, email="bob@example.com")
    with refused_as("key-binding"):
        machine.start(license_key=stranger.key, email=stranger.email).install(file)
    with refused_as("owner-binding"):
        machine.start(email=stranger.email).install(file)
    with pytest.raises(ConfigurationError, match="LICENSE_KEY"):
        machine.start(license_key=None, email=None).install(file)


def test_a_file_for_one_machine_works_there_alone(
    machine: Machine, server: Simulator, license_: License, tmp_path: Path
) -> None:
    named = machine.start(instance_id="press-2")
    assert named.install(server.issue_file(license_, LASTS, ins="press-2")).usable
    asked = json.loads(machine.start(cache_dir=tmp_path / "b")._core.request_file())
    file = server.issue_file(license_, LASTS, ins=asked["instance_id"])
    assert machine.start(cache_dir=tmp_path / "b").install(file).usable
    for elsewhere in ("never used", "license-data"):
        with refused_as("instance"):
            machine.start(cache_dir=tmp_path / elsewhere).install(file)


def test_a_file_that_a_stranger_signed_is_refused(
    machine: Machine, server: Simulator, license_: License
) -> None:
    own_roots = Simulator(machine.clock, Vendor(server.vendor.issuer, [Pair("thief's root")]))
    with pytest.raises(KeySetRejectedError):
        machine.start().install(own_roots.issue_file(license_, LASTS))
    own_signer = Simulator(machine.clock, Vendor(signer=Pair("thief")))
    own_signer.vendor.key_sets = server.vendor.key_sets
    with refused_as("kid-unknown"):
        machine.start().install(own_signer.issue_file(license_, LASTS))
    assert machine.start().status().state is State.UNLICENSED


def test_a_key_that_was_revoked_kills_the_file_that_it_signed(
    machine: Machine, server: Simulator, license_: License
) -> None:
    install(machine, license_)
    server.vendor.rotate_signer("revoked")
    updated = machine.start(trust=server.vendor.trust)
    assert (updated.status().usable, updated.status().code) == (False, "DECISION_REJECTED")


def test_a_file_that_revokes_a_key_kills_what_that_key_signed(
    machine: Machine, server: Simulator, license_: License
) -> None:
    old = server.issue_file(license_, LASTS)
    machine.clock.advance(1)
    server.vendor.rotate_signer("revoked")
    assert install(machine, license_).usable
    with refused_as("kid-revoked"):
        machine.start().install(old)


def test_key_sets_that_come_with_a_no_kill_an_installed_file(
    machine: Machine, server: Simulator, license_: License
) -> None:
    install(machine, license_)
    server.vendor.rotate_signer("revoked")
    sets = json.dumps({"decision": "x", "keyset": server.newer_key_sets(1)}).encode()
    server.switch = saying(200, sets)
    with refused_as("segments"):
        machine.start(server_url="https://license.example").validate()
    assert machine.start().status().code == "DECISION_REJECTED"


def test_a_file_reaches_over_a_change_of_roots(
    machine: Machine, server: Simulator, license_: License
) -> None:
    server.vendor.rotate_roots()
    server.vendor.rotate_signer()
    assert install(machine, license_).usable
    assert machine.start().status().usable


def test_a_file_takes_the_place_of_what_another_key_was_given(
    machine: Machine, server: Simulator, license_: License
) -> None:
    install(machine, license_)
    other = server.sell(2, license_id="lic_" + "2" * 26)
    changed = machine.start(license_key=other.key)
    assert changed.status().state is State.UNLICENSED
    assert changed.install(server.issue_file(other, LASTS)).license_id == other.license_id


def test_a_cache_of_a_file_works_for_the_same_owner_elsewhere(
    machine: Machine, license_: License, tmp_path: Path
) -> None:
    before = install(machine, license_)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "license.json").write_bytes(machine.cache.read_bytes())
    machine.clock.boot = "another boot"
    assert machine.start(cache_dir=tmp_path / "copy").status() == before


def test_a_file_in_memory_goes_on_when_its_cache_is_damaged(
    machine: Machine, server: Simulator, license_: License
) -> None:
    client = machine.start()
    client.install(server.issue_file(license_, LASTS))
    machine.cache.write_bytes(b"{}")
    assert client.status().usable


def test_a_request_names_the_machine_and_not_the_key(machine: Machine, license_: License) -> None:
    text = machine.start()._core.request_file()
    asked = json.loads(text)
    assert license_.key not in text
    assert asked["key_hint"] == license_.key[-4:]
    assert asked["email"] == license_.email
    assert machine.start()._core.request_file() == text


def test_a_machine_without_a_lasting_id_requests_no_file(machine: Machine) -> None:
    machine.folder.write_bytes(b"a file where the folder should be")
    with pytest.raises(ConfigurationError, match="LICENSE_INSTANCE_ID"):
        machine.start()._core.request_file()
    asked = json.loads(machine.start(instance_id="press-2")._core.request_file())
    assert asked["instance_id"] == "press-2"
