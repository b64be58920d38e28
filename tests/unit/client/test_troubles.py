"""What goes wrong around a license: it neither closes a paying customer's gate nor opens another.

Each trouble meets each way in which a program learns of its license.
"""

from collections.abc import Callable
from contextlib import suppress

import pytest

from license_client import LicenseError, LicenseStatus, LicenseWatch, State
from license_client.testing.clock import DAY, HOUR
from license_client.testing.simulator import License, Simulator, unreachable
from support.client_machine import Machine
from support.switches import replaying, swapping, to_operation

Trouble = Callable[[Machine, Simulator, License], None]
Way = Callable[[Machine, LicenseWatch], LicenseStatus]


def mistyped_email(machine: Machine, _server: Simulator, license_: License) -> None:
    """Have a second program on the machine configured wrongly, and try everything."""
    wrong = machine.start(email="adda@example.com")
    assert wrong.start().state is State.EMAIL_MISMATCH
    assert wrong.validate().state is State.EMAIL_MISMATCH
    assert machine.start().check(license_.key, "adda@example.com").state is State.EMAIL_MISMATCH


def key_of_another_product(machine: Machine, server: Simulator, _license: License) -> None:
    other = server.sell(2, product="other-product")
    assert machine.start(license_key=other.key).start().state is State.PRODUCT_MISMATCH


def one_off_checks(machine: Machine, server: Simulator, _license: License) -> None:
    revoked = server.sell(2, email="bob@example.com", code="REVOKED")
    good = server.sell(3, email="bob@example.com")
    unknown = server.licenses.pop(server.sell(4).key)
    client = machine.start()
    assert client.check(revoked.key, revoked.email).state is State.REVOKED
    assert client.check(good.key, good.email).usable
    assert client.check(unknown.key).state is State.LICENSE_NOT_FOUND


def restored_from_an_old_backup(_machine: Machine, server: Simulator, _license: License) -> None:
    server.licenses.clear()


def license_under_another_product(_machine: Machine, server: Simulator, license_: License) -> None:
    server.change(license_, product="other-product")


def clock_a_year_ahead_for_one_answer(
    machine: Machine, server: Simulator, _license: License
) -> None:
    server.clock_shift = 365 * DAY
    machine.start().validate()
    server.clock_shift = 0


def replica_a_second_behind(machine: Machine, server: Simulator, _license: License) -> None:
    machine.start().validate()
    server.clock_shift = -1


def proxy_that_swaps_the_email(_machine: Machine, server: Simulator, _license: License) -> None:
    server.switch = swapping(email="eve@example.com")


def proxy_that_swaps_the_key(_machine: Machine, server: Simulator, _license: License) -> None:
    server.switch = swapping(license_key=server.sell(5).key)


def proxy_that_deactivates(_machine: Machine, server: Simulator, _license: License) -> None:
    server.switch = to_operation("deactivate")


def proxy_that_replays(machine: Machine, server: Simulator, _license: License) -> None:
    """Have it answer with yesterday's yes, the first there was."""
    machine.clock.advance(DAY)
    server.switch = replaying(server.answers[0])


TROUBLES: tuple[Trouble, ...] = (
    mistyped_email,
    key_of_another_product,
    one_off_checks,
    restored_from_an_old_backup,
    license_under_another_product,
    clock_a_year_ahead_for_one_answer,
    replica_a_second_behind,
    proxy_that_swaps_the_email,
    proxy_that_swaps_the_key,
    proxy_that_deactivates,
    proxy_that_replays,
)


def by_a_call(machine: Machine, _watch: LicenseWatch) -> LicenseStatus:
    client = machine.start()
    with suppress(LicenseError):
        client.validate()
    return client.status()


def by_its_watch(machine: Machine, watch: LicenseWatch) -> LicenseStatus:
    asked = len(machine.simulator.requests)
    machine.clock.advance(7 * HOUR)
    watch.look()
    assert len(machine.simulator.requests) > asked
    return watch.status


def by_a_start(machine: Machine, _watch: LicenseWatch) -> LicenseStatus:
    return machine.start().start()


def by_a_start_after_a_boot(machine: Machine, _watch: LicenseWatch) -> LicenseStatus:
    by_a_call(machine, _watch)
    machine.clock.reboot()
    return machine.start().status()


def offline(machine: Machine, watch: LicenseWatch) -> LicenseStatus:
    machine.simulator.switch = unreachable
    machine.clock.advance(2 * DAY)
    assert machine.start(start_wait=0.0).start().usable == watch.look().usable
    return watch.status


WAYS: tuple[Way, ...] = (by_a_call, by_its_watch, by_a_start, by_a_start_after_a_boot, offline)
each_trouble = pytest.mark.parametrize("trouble", TROUBLES)
each_way = pytest.mark.parametrize("way", WAYS)


def watching(machine: Machine) -> LicenseWatch:
    """Watch by hand: the thread looks once, and after a look of ours nothing is due for it."""
    watch = LicenseWatch(machine.start(start_wait=0.0), look_seconds=3_600)
    watch.look()
    return watch


@each_trouble
@each_way
def test_no_trouble_closes_the_gate_of_a_paying_customer(
    machine: Machine, server: Simulator, license_: License, trouble: Trouble, way: Way
) -> None:
    machine.start().activate()
    with watching(machine) as watch:
        trouble(machine, server, license_)
        assert way(machine, watch).usable


@each_trouble
@each_way
def test_no_trouble_opens_the_gate_of_a_revoked_license(
    machine: Machine, server: Simulator, license_: License, trouble: Trouble, way: Way
) -> None:
    machine.start().activate()
    revoked = server.change(license_, code="REVOKED")
    machine.start().validate()
    with watching(machine) as watch:
        trouble(machine, server, revoked)
        assert not way(machine, watch).usable


@each_trouble
def test_no_trouble_makes_a_license_immune_to_its_revocation(
    machine: Machine, server: Simulator, license_: License, trouble: Trouble
) -> None:
    machine.start().activate()
    with watching(machine) as watch:
        trouble(machine, server, license_)
        server.switch, server.clock_shift = None, 0
        server.change(license_, code="REVOKED")
        assert by_its_watch(machine, watch).state is State.REVOKED
    assert machine.start().start().state is State.REVOKED
