"""The cache: what it keeps, what it refuses, and how the program goes on without it."""

import json
import os
from pathlib import Path

import httpx
import pytest

from license_client import (
    CacheUnreadableError,
    ConfigurationError,
    LicenseClient,
    OfflineError,
    State,
)
from license_client._cache import EncryptionKey, KeyRing, read_document
from license_client._credentials import Credentials, read_email, read_key
from license_client.testing.clock import DAY, HOUR
from license_client.testing.simulator import License, Request, Simulator, unreachable
from support.client_machine import ENCRYPTION_KEY, Machine

NEW_KEY = "fedcba9876543210" * 4


def test_a_flipped_bit_anywhere_in_the_cache_makes_it_unreadable(machine: Machine) -> None:
    machine.start().activate()
    whole = machine.cache.read_bytes()
    assert is_readable(whole)
    assert [at for at in range(len(whole)) if is_readable(flipped(whole, at))] == []


def test_a_flipped_bit_in_the_cache_licenses_nobody(machine: Machine) -> None:
    machine.start().activate()
    whole = machine.cache.read_bytes()
    for at in range(0, len(whole), 50):
        machine.cache.write_bytes(flipped(whole, at))
        assert machine.start().status().code == "CACHE_UNREADABLE"


def test_a_clear_cache_with_a_flipped_bit_lasts_no_longer_than_what_was_signed(
    machine: Machine,
) -> None:
    machine.start(encryption_key=None).activate()
    whole = machine.cache.read_bytes()
    machine.clock.reboot()
    machine.clock.advance(20 * DAY)
    for at in range(0, len(whole), 25):
        machine.cache.write_bytes(flipped(whole, at))
        assert not machine.start(encryption_key=None).status().usable


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def is_readable(data: bytes) -> bool:
    keys = KeyRing(EncryptionKey(bytes.fromhex(ENCRYPTION_KEY)))
    try:
        read_document(data, keys)
    except CacheUnreadableError:
        return False
    return True


def test_a_cache_that_its_owner_rewrote_is_rejected(machine: Machine) -> None:
    """The customer owns the encryption key; what protects the decision is its signature."""
    machine.start(encryption_key=None).activate()
    document = json.loads(machine.cache.read_text())
    header, payload, signature = document["doc"]["decision"].split(".")
    document["doc"]["decision"] = f"{header}.{payload[:-4]}AAAA.{signature}"
    machine.cache.write_text(json.dumps(document))
    status = machine.start(encryption_key=None).status()
    assert (status.state, status.code) == (State.UNLICENSED, "DECISION_REJECTED")


def test_key_sets_that_the_roots_did_not_sign_are_rejected(machine: Machine) -> None:
    machine.start(encryption_key=None).activate()
    document = json.loads(machine.cache.read_text())
    document["doc"]["keyset"] = [{"payload": "e30", "signatures": []}]
    machine.cache.write_text(json.dumps(document))
    assert machine.start(encryption_key=None).status().code == "KEYSET_REJECTED"


def test_neither_key_nor_email_is_on_the_disk(machine: Machine, license_: License) -> None:
    machine.start(encryption_key=None).activate()
    on_disk = b"".join(file.read_bytes() for file in machine.folder.iterdir())
    assert license_.key.encode() not in on_disk
    assert license_.email.encode() not in on_disk


def test_the_cache_is_for_its_owner_alone_and_no_temporary_file_stays(machine: Machine) -> None:
    machine.start().activate()
    modes = {file.name: file.stat().st_mode & 0o777 for file in machine.folder.iterdir()}
    assert modes == {
        "license.json": 0o600,
        "license.lock": 0o600,
        "license.refresh.lock": 0o600,
    }
    assert machine.folder.stat().st_mode & 0o777 == 0o700


def test_an_unreadable_cache_is_kept_once_and_the_next_answer_replaces_it(
    machine: Machine, server: Simulator
) -> None:
    machine.start().activate()
    machine.cache.write_bytes(b"first damage")
    server.switch = unreachable
    status = machine.start().status()
    assert (status.state, status.code) == (State.UNLICENSED, "CACHE_UNREADABLE")
    machine.cache.unlink()
    machine.cache.write_bytes(b"second damage")
    server.switch = None
    assert machine.start().activate().usable
    assert machine.start().status().usable
    assert (machine.folder / "license.json.corrupt").read_bytes() == b"first damage"


def test_a_file_that_is_too_long_is_corrupt(machine: Machine) -> None:
    machine.start().activate()
    machine.cache.write_bytes(machine.cache.read_bytes().ljust(128 * 1024 + 1))
    assert machine.start().status().code == "CACHE_UNREADABLE"


def test_a_cache_sealed_with_another_key_is_unreadable_until_that_key_is_set(
    machine: Machine,
) -> None:
    before = machine.start().activate()
    assert machine.start(encryption_key=NEW_KEY).status().code == "CACHE_UNREADABLE"
    assert machine.start(encryption_key=None).status().code == "CACHE_UNREADABLE"
    assert machine.start().status() == before


def test_the_previous_key_is_read_once_and_the_file_sealed_anew(machine: Machine) -> None:
    before = machine.start().activate()
    rotating = machine.start(encryption_key=NEW_KEY, previous_encryption_key=ENCRYPTION_KEY)
    assert rotating.status() == before
    assert machine.start(encryption_key=NEW_KEY).status() == before
    assert machine.start().status().code == "CACHE_UNREADABLE"


def test_a_clear_cache_is_read_once_and_sealed(machine: Machine) -> None:
    before = machine.start(encryption_key=None).activate()
    assert "not encrypted" in before.notices[0]
    assert machine.start().status() == before._replace(notices=())
    assert json.loads(machine.cache.read_text())["enc"] == "A256GCM"


def test_every_write_has_a_salt_and_an_iv_of_its_own(machine: Machine) -> None:
    client, seen = machine.start(), set()
    for _ in range(4):
        client.validate()
        envelope = json.loads(machine.cache.read_text())
        seen |= {envelope["salt"], envelope["iv"]}
    assert len(seen) == 8


def test_the_identity_is_made_once_and_sent_each_time(machine: Machine, server: Simulator) -> None:
    machine.start().activate()
    machine.start().validate()
    assert len({request.members["instance_id"] for request in server.requests}) == 1


def test_the_identity_that_is_configured_goes_before_the_one_in_the_cache(
    machine: Machine, server: Simulator
) -> None:
    machine.start(instance_id="pod-7").activate()
    assert server.deployments == {"pod-7"}


@pytest.fixture
def no_disk(tmp_path: Path) -> Path:
    """A folder that cannot be, whoever asks: its parent is a file."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "license-data"


def test_without_a_disk_the_program_runs_from_memory_and_says_so(
    machine: Machine, server: Simulator, license_: License, no_disk: Path
) -> None:
    client = machine.start(cache_dir=no_disk)
    status = client.activate()
    assert status.usable
    assert any("cannot be written" in notice for notice in status.notices)
    server.change(license_, code="REVOKED")
    assert client.validate().state is State.REVOKED
    assert client.status().state is State.REVOKED


def test_without_a_disk_and_an_identity_it_is_validated_and_never_activated(
    machine: Machine, server: Simulator, no_disk: Path
) -> None:
    client = machine.start(cache_dir=no_disk)
    status = client.activate()
    assert [request.operation for request in server.requests] == ["validate"]
    assert any("LICENSE_INSTANCE_ID" in notice for notice in status.notices)
    with pytest.raises(ConfigurationError, match="LICENSE_INSTANCE_ID"):
        client.deactivate()


def test_an_identity_that_was_saved_once_outlasts_the_disk(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    client.activate()
    (machine.folder / "license.lock").unlink()
    (machine.folder / "license.lock").mkdir()  # from here on nothing can be written
    for _ in range(2):
        assert client.activate().usable
    assert {request.operation for request in server.requests} == {"activate"}
    assert len(server.deployments) == 1


def test_without_a_disk_a_configured_identity_is_activated(
    machine: Machine, server: Simulator, no_disk: Path
) -> None:
    assert machine.start(cache_dir=no_disk, instance_id="pod-7").activate().usable
    assert server.deployments == {"pod-7"}


@pytest.mark.parametrize("damage", [b"", b"{}", b"\x00" * 800])
def test_a_cache_damaged_under_a_running_program_does_not_stop_it(
    machine: Machine, damage: bytes
) -> None:
    client = machine.start()
    client.activate()
    machine.cache.write_bytes(damage)
    assert client.status().usable


def test_a_cache_that_is_lost_is_written_again_by_the_running_program(machine: Machine) -> None:
    client = machine.start()
    client.activate()
    machine.cache.unlink()
    assert client.status().usable
    machine.clock.advance(HOUR)
    client.status()
    assert machine.start().status().usable


def test_what_another_program_learned_is_seen_without_a_restart(
    machine: Machine, server: Simulator, license_: License
) -> None:
    running = machine.start()
    running.activate()
    server.change(license_, code="REVOKED")
    machine.start().validate()
    assert running.status().state is State.REVOKED
    server.change(license_)
    machine.start().validate()
    assert running.status().usable


def test_the_key_sets_of_the_cache_are_kept_through_a_deactivation(
    machine: Machine, server: Simulator
) -> None:
    server.vendor.rotate_signer()
    client = machine.start()
    client.activate()
    client.deactivate()
    keys = KeyRing(EncryptionKey(bytes.fromhex(ENCRYPTION_KEY)))
    document = read_document(machine.cache.read_bytes(), keys).document
    assert document.decision is None
    assert len(document.key_sets) == 1


def points_to(handle: int, path: Path) -> bool:
    try:  # the handle that listed them is closed by now
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def test_a_lock_that_a_forked_process_inherited_is_free_again(
    machine: Machine, server: Simulator
) -> None:
    """A fork has the same open files for as long as it lives: a worker of a web server, say."""
    inherited: list[int] = []

    def forking(simulator: Simulator, request: Request) -> httpx.Response:
        own = [int(file.name) for file in Path("/proc/self/fd").iterdir()]
        held = [fd for fd in own if points_to(fd, machine.folder / "license.refresh.lock")]
        inherited.extend(map(os.dup, held))
        return simulator.answer(request)

    server.switch = forking
    machine.start().activate()
    server.switch = None
    try:
        assert len(inherited) == 1
        assert machine.start().validate().usable
    finally:
        for handle in inherited:
            os.close(handle)


@pytest.mark.parametrize("name", ["license.lock", "license.refresh.lock", "license.json.tmp"])
def test_a_link_that_somebody_planted_makes_no_file_elsewhere(machine: Machine, name: str) -> None:
    elsewhere = machine.folder.with_name("elsewhere")
    machine.folder.mkdir()
    (machine.folder / name).symlink_to(elsewhere)
    assert machine.start().activate().usable
    assert not elsewhere.exists()


def test_a_pipe_in_the_place_of_the_cache_holds_nobody_up(machine: Machine) -> None:
    machine.folder.mkdir()
    os.mkfifo(machine.folder / "license.json")
    status = machine.start().status()
    assert (status.state, status.code) == (State.UNLICENSED, "CACHE_UNREADABLE")


def test_secrets_do_not_show_in_a_repr(license_: License) -> None:
    key, email = read_key(license_.key), read_email(license_.email)
    assert license_.key not in repr(key) + str(key) + f"{key}"
    assert license_.email not in repr(Credentials(key, email))
    assert ENCRYPTION_KEY not in repr(KeyRing(EncryptionKey(bytes.fromhex(ENCRYPTION_KEY))))


def test_a_client_does_not_show_what_it_holds(machine: Machine, license_: License) -> None:
    client: LicenseClient = machine.start()
    assert license_.key not in repr(client)


OTHER_KEY = "fedcba9876543210" * 4


def test_a_wrong_encryption_key_costs_nothing_while_the_server_is_down(
    machine: Machine, server: Simulator
) -> None:
    machine.start().activate()
    sound = machine.cache.read_bytes()
    server.switch = unreachable
    mistaken = machine.start(encryption_key=OTHER_KEY)
    for _ in range(2):
        with pytest.raises(OfflineError):
            mistaken.activate()
    assert mistaken.status().code == "CACHE_UNREADABLE"
    assert machine.cache.read_bytes() == sound
    assert machine.start().status().usable


def test_an_unreadable_cache_is_replaced_by_the_next_answer_under_one_name(
    machine: Machine, server: Simulator
) -> None:
    machine.cache.parent.mkdir()
    machine.cache.write_bytes(b"damage")
    client = machine.start()
    assert client.activate().usable
    assert client.validate().usable
    assert machine.start().validate().usable
    assert len({request.members["instance_id"] for request in server.requests}) == 1


def test_a_deactivation_empties_what_cannot_be_read(machine: Machine) -> None:
    machine.start().activate()
    machine.start(encryption_key=OTHER_KEY).deactivate()
    assert not machine.start().status().usable


def test_a_file_that_others_may_read_is_closed_by_the_next_write(machine: Machine) -> None:
    client = machine.start()
    client.activate()
    machine.cache.chmod(0o666)
    client.validate()
    assert machine.cache.stat().st_mode & 0o777 == 0o600


def test_a_link_in_the_place_of_the_file_is_read_and_then_replaced(
    machine: Machine, tmp_path: Path
) -> None:
    machine.start().activate()
    elsewhere = tmp_path / "elsewhere.json"
    machine.cache.rename(elsewhere)
    machine.cache.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    assert machine.start().status().usable
    machine.start().validate()
    assert not machine.cache.is_symlink()
    assert elsewhere.read_bytes() == before


def test_a_link_in_the_place_of_what_is_written_is_not_followed(
    machine: Machine, tmp_path: Path
) -> None:
    machine.start().activate()
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    for name in ("license.json.tmp", "license.lock"):
        (machine.folder / name).unlink(missing_ok=True)
        (machine.folder / name).symlink_to(victim)
        status = machine.start().validate()
        assert status.usable
        assert any("cannot be written" in notice for notice in status.notices)
        (machine.folder / name).unlink()
    assert victim.read_bytes() == b"precious"


def test_a_file_of_a_newer_program_is_left_to_it_until_an_answer_comes(
    machine: Machine, server: Simulator
) -> None:
    machine.start().activate()
    newer = machine.cache.read_bytes().replace(b'"v":1', b'"v":2')
    machine.cache.write_bytes(newer)
    server.switch = unreachable
    client = machine.start()
    with pytest.raises(OfflineError):
        client.validate()
    assert client.status().code == "CACHE_UNREADABLE"
    assert machine.cache.read_bytes() == newer
    server.switch = None
    assert client.validate().usable
