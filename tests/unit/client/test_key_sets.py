"""Key sets: rotation, compromise and change of roots, as clients live through them."""

import json
from pathlib import Path

import httpx
import pytest

from license_client import DecisionRejectedError, KeySetRejectedError, State
from license_client._json import MalformedError
from license_client._keyset import load_anchor
from license_client._signatures import require_safe
from license_client.testing.clock import DAY
from license_client.testing.simulator import License, Request, Simulator, reply, unreachable
from license_client.testing.vendor import Pair, Vendor, compact, sign_key_set, unb64
from support.client_machine import Machine
from support.switches import claiming

# One prime of the field, and the order of the group that the base point makes (RFC 8032, 5.1).
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def test_a_new_online_key_comes_with_the_answer_and_lasts(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    client.activate()
    server.vendor.rotate_signer()
    assert client.validate().usable
    server.switch = unreachable
    assert machine.start().status().usable


def test_an_unknown_key_is_asked_for_once(machine: Machine, server: Simulator) -> None:
    client = machine.start()
    client.activate()
    server.vendor.rotate_signer()
    server.offers_key_sets = False
    assert client.validate().usable


def test_a_revoked_key_is_dead_online_and_in_the_cache(machine: Machine, server: Simulator) -> None:
    client = machine.start()
    client.activate()
    stolen = server.vendor.signer
    server.vendor.rotate_signer("revoked")
    genuine, server.vendor.signer = server.vendor.signer, stolen
    with pytest.raises(DecisionRejectedError, match="kid-revoked"):
        client.validate()
    # The answer was refused; the key set beside it was the roots', and kills the cached decision.
    assert client.status().state is State.UNLICENSED
    assert machine.start().status().code == "DECISION_REJECTED"
    server.vendor.signer = genuine
    assert client.validate().usable


def test_a_key_that_a_newer_program_knows_as_revoked_is_dead_offline(
    machine: Machine, server: Simulator
) -> None:
    machine.start().activate()
    server.vendor.rotate_signer("revoked")
    server.switch = unreachable
    updated = machine.start(trust=server.vendor.trust, start_wait=0.0)
    assert (updated.start().state, updated.status().usable) == (State.UNLICENSED, False)
    server.switch = None
    assert updated.activate().usable


def test_what_one_program_hears_of_a_revoked_key_ends_the_others_of_the_machine(
    machine: Machine, server: Simulator
) -> None:
    running = machine.start()
    running.activate()
    stolen = server.vendor.signer
    server.vendor.rotate_signer("revoked")
    server.vendor.signer = stolen
    with pytest.raises(DecisionRejectedError, match="kid-revoked"):
        machine.start().validate()
    server.switch = unreachable
    assert not running.status().usable
    assert not running.refresh_if_due().usable


def test_a_key_that_no_longer_signs_keeps_what_it_signed(
    machine: Machine, server: Simulator
) -> None:
    before = machine.start().activate()
    server.vendor.rotate_signer("verify_only")
    shipped_later = machine.start(trust=server.vendor.trust)
    assert shipped_later.status() == before


def test_two_replicas_may_sign_with_the_old_and_the_new_key(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    client.activate()
    old = server.vendor.signer
    server.vendor.rotate_signer()
    new = server.vendor.signer
    for signer in (new, old, new, old):
        server.vendor.signer = signer
        assert client.validate().usable
        assert machine.start().status().usable


def test_a_replica_that_has_not_the_new_key_set_yet_takes_nothing_back(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    client.activate()
    old, old_sets = server.vendor.signer, list(server.vendor.key_sets)
    server.vendor.rotate_signer()
    client.validate()
    server.vendor.signer, server.vendor.key_sets = old, old_sets
    assert client.validate().usable
    assert server.requests[-1].members["keyset_epoch"] == 2
    assert machine.start().validate().usable
    assert server.requests[-1].members["keyset_epoch"] == 2


def test_a_newer_key_set_is_fetched_when_a_decision_knows_of_one(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    client.activate()
    server.vendor.publish()
    server.offers_key_sets = False
    client.validate()
    client.validate()
    epochs = [request.members["keyset_epoch"] for request in server.requests]
    assert epochs == [1, 1, 2]


def test_a_decision_that_knows_less_than_we_do_is_no_error(
    machine: Machine, server: Simulator
) -> None:
    server.vendor.publish()
    client = machine.start(trust=server.vendor.trust)
    server.switch = claiming(kse=1)
    assert client.activate().usable


def test_roots_that_changed_several_times_are_followed_step_by_step(
    machine: Machine, server: Simulator
) -> None:
    for _ in range(3):
        server.vendor.rotate_roots()
        server.vendor.rotate_signer()
    assert machine.start().activate().usable
    server.switch = unreachable
    assert machine.start().status().usable


def test_a_step_that_is_left_out_is_refused(machine: Machine, server: Simulator) -> None:
    server.vendor.rotate_roots()
    server.vendor.rotate_roots()
    del server.vendor.key_sets[1]
    server.vendor.key_sets.insert(0, server.vendor.key_sets[0])
    with pytest.raises(KeySetRejectedError, match="signatures-old"):
        machine.start().activate()


def test_a_lower_epoch_is_refused(machine: Machine, server: Simulator) -> None:
    first = server.vendor.key_sets[0]
    server.vendor.publish()
    client = machine.start(trust=server.vendor.trust)
    server.vendor.key_sets += [first]
    with pytest.raises(KeySetRejectedError, match="epoch-lower"):
        client.activate()


def test_another_set_of_the_same_epoch_is_refused(machine: Machine, server: Simulator) -> None:
    twin = Vendor(expires=server.vendor.expires + 1)
    server.vendor.publish()
    server.vendor.key_sets[1] = twin.key_sets[0]
    with pytest.raises(KeySetRejectedError, match="epoch-equal"):
        machine.start().activate()


def test_an_online_key_is_no_root(machine: Machine, server: Simulator) -> None:
    signed_by_thief = Vendor(roots=[server.vendor.signer], signer=Pair("thief"))
    signed_by_thief.publish()
    server.vendor.key_sets.append(signed_by_thief.key_sets[-1])
    with pytest.raises(KeySetRejectedError):
        machine.start().activate()


def test_one_root_that_signs_twice_counts_once() -> None:
    root = Pair("root 1")
    vendor = Vendor(roots=[root, Pair("root 2")], threshold=2)
    payload = unb64(str(vendor.key_sets[0]["payload"]))
    assert load_anchor(compact(sign_key_set(payload, vendor.roots))).current.threshold == 2
    with pytest.raises(KeySetRejectedError, match="signatures-new"):
        load_anchor(compact(sign_key_set(payload, [root, root])))


def padded(simulator: Simulator, request: Request) -> httpx.Response:
    """Answer honestly, each key set followed by signatures of nobody up to the longest answer."""
    answer = json.loads(simulator.answer(request).read())
    header, _, signature = Pair("nobody").sign("license-keyset+jwt", b"{}")
    nobodys = {"protected": header, "signature": signature}
    room = 60_000 // len(compact(nobodys)) // max(1, len(answer.get("keyset", [])))
    for key_set in answer.get("keyset", []):
        key_set["signatures"] += [nobodys] * room
    return reply(200, compact(answer))


def test_signatures_that_count_nothing_do_not_fill_the_cache(
    machine: Machine, server: Simulator
) -> None:
    """Or the cache would outgrow 128 KiB, be refused as too long, and close the gate."""
    machine.start().activate()
    server.switch = padded
    for number in (2, 3):
        server.vendor.roots = [*server.vendor.roots, Pair(f"root {number}")]
        server.vendor.publish()
        assert machine.start().validate().usable
    assert machine.start().status().usable
    assert machine.cache.stat().st_size < 10_000


def test_a_program_that_ships_newer_keys_than_its_cache_goes_on(
    machine: Machine, server: Simulator
) -> None:
    server.vendor.rotate_signer()
    before = machine.start().activate()
    server.vendor.rotate_roots()
    assert machine.start(trust=server.vendor.trust).status() == before


def test_a_program_that_ships_older_keys_than_its_cache_goes_on(
    machine: Machine, server: Simulator
) -> None:
    old = server.vendor.trust
    server.vendor.rotate_roots()
    server.vendor.rotate_signer()
    before = machine.start().activate()
    assert machine.start(trust=old).status() == before


def test_a_key_set_past_its_date_warns_and_refuses_nothing(
    machine: Machine, server: Simulator, license_: License
) -> None:
    client = machine.start()
    client.activate()
    machine.clock.advance(401 * DAY)
    server.change(license_)
    status = client.validate()
    assert status.usable
    assert status.warnings == ("KEYSET_STALE",)
    assert "past its date" in status.notices[0]


def test_a_key_set_past_its_date_goes_on_offline_and_its_warning_with_a_newer_one(
    machine: Machine, server: Simulator
) -> None:
    machine.clock.advance(390 * DAY)
    client = machine.start()
    client.activate()
    server.switch = unreachable
    machine.clock.advance(11 * DAY)
    assert client.status().usable
    assert client.status().warnings == machine.start().start().warnings == ("KEYSET_STALE",)
    server.switch = None
    server.vendor.expires += 800 * DAY
    server.vendor.publish()
    assert client.validate().warnings == ()


def test_trust_comes_from_a_file_too(machine: Machine, server: Simulator, tmp_path: Path) -> None:
    shipped = tmp_path / "trust.json"
    shipped.write_bytes(server.vendor.trust)
    assert machine.start(trust=shipped).activate().usable


def points_of_small_order() -> set[int]:
    """Return the y coordinates of the points that the order of the group does not move away."""
    found = set()
    for y in range(2, 60):
        x = root_of((y * y - 1) * pow(D * y * y + 1, -1, P) % P)
        if x is not None:
            point = multiplied(L, (x, y))
            found |= {multiplied(times, point)[1] for times in range(8)}
    return found


def root_of(square: int) -> int | None:
    root = pow(square, (P + 3) // 8, P)
    candidates = (root, root * pow(2, (P - 1) // 4, P) % P)
    return next((each for each in candidates if each * each % P == square), None)


def multiplied(times: int, point: tuple[int, int]) -> tuple[int, int]:
    result = (0, 1)
    while times:
        if times & 1:
            result = added(result, point)
        point, times = added(point, point), times >> 1
    return result


def added(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = one, other
    k = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P,
    )


def test_every_point_of_small_order_is_refused_however_it_is_spelled() -> None:
    points = points_of_small_order()
    assert len(points) == 5
    for y in points:
        for spelled in (y, y + P):
            for sign in (0, 2**255):
                if spelled < 2**255:
                    with pytest.raises(MalformedError):
                        require_safe((spelled + sign).to_bytes(32, "little"))
    require_safe(Pair("anybody").public)
