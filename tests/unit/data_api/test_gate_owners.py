from pathlib import Path

import pytest

from db_api.errors import (
    LicenseRefusedError,
    LicenseServerUnreachableError,
)
from db_api.license_gate import PRODUCT, gate_from_environment
from db_api.owner_file import FILE_NAME, Owner
from license_client.testing.simulator import unreachable
from license_client.testing.vendor import make_key
from support.licensed import LicensedMachine

pytestmark = pytest.mark.anyio


async def test_another_license_that_is_not_usable_does_not_replace_this_one(
    customer: LicensedMachine,
) -> None:
    gate = await customer.open_gate()
    other = customer.simulator.sell(2, product=PRODUCT, code="REVOKED", email="bob@example.com")

    with pytest.raises(LicenseRefusedError) as refused:
        await gate.activate(Owner(other.key, other.email))

    assert refused.value.details == "REVOKED"
    assert gate.is_open


async def test_a_check_without_an_email_uses_the_one_in_the_file(
    customer: LicensedMachine, tmp_path: Path
) -> None:
    file = tmp_path / "email"
    file.write_text("ada@example.com\n")
    environment = {**customer.environment, "LICENSE_EMAIL": "", "LICENSE_EMAIL_FILE": str(file)}
    gate = gate_from_environment(environment)

    with pytest.raises(LicenseServerUnreachableError):  # the email was there: it would be asked
        await gate.check(make_key(1), None)


@pytest.mark.parametrize(
    ("license_key", "email"), [("nonsense", "ada@example.com"), (make_key(1), "nonsense")]
)
async def test_a_malformed_key_or_email_is_refused_without_a_call(
    customer: LicensedMachine, license_key: str, email: str
) -> None:
    gate = await customer.open_gate()
    customer.simulator.requests.clear()

    with pytest.raises(LicenseRefusedError):
        await gate.activate(Owner(license_key, email))

    assert customer.simulator.requests == []


async def test_activation_without_the_server_is_told_apart_from_a_no(
    customer: LicensedMachine,
) -> None:
    gate = await customer.open_gate()
    customer.simulator.switch = unreachable

    with pytest.raises(LicenseServerUnreachableError):
        await gate.activate(Owner(make_key(2), "bob@example.com"))

    assert gate.is_open


async def test_activation_of_another_license_opens_a_closed_gate_and_keeps_it_open(
    customer: LicensedMachine,
) -> None:
    customer.simulator.change(customer.license, code="REVOKED")
    gate = await customer.open_gate()
    bought = customer.simulator.sell(2, product=PRODUCT, email="bob@example.com")

    view = await gate.activate(Owner(bought.key, bought.email))

    assert view.valid
    await gate.refresh()
    assert gate.is_open


async def test_a_check_of_another_license_leaves_the_gate_alone(customer: LicensedMachine) -> None:
    gate = await customer.open_gate()
    other = customer.simulator.sell(2, product=PRODUCT, code="REVOKED", email="bob@example.com")

    answer = await gate.check(other.key, other.email)

    assert (answer.valid, answer.code) == (False, "REVOKED")
    await gate.refresh()
    assert gate.is_open


async def test_a_check_without_an_email_takes_the_configured_one(customer: LicensedMachine) -> None:
    gate = await customer.open_gate()

    assert (await gate.check(customer.license.key, None)).valid


async def test_a_check_of_a_mistyped_key_is_an_answer_not_an_error(
    customer: LicensedMachine,
) -> None:
    gate = await customer.open_gate()

    answer = await gate.check("nonsense", "ada@example.com")

    assert (answer.valid, answer.code) == (False, "KEY_MALFORMED")


async def test_a_check_without_the_server_says_so(customer: LicensedMachine) -> None:
    gate = await customer.open_gate()
    customer.simulator.switch = unreachable

    with pytest.raises(LicenseServerUnreachableError):
        await gate.check(make_key(2), "bob@example.com")


# what was activated on this machine, by `db-api activate`


async def test_an_owner_whose_license_is_refused_does_not_replace_this_one(
    customer: LicensedMachine,
) -> None:
    gate = await customer.open_gate()
    other = customer.simulator.sell(2, product=PRODUCT, code="REVOKED", email="bob@example.com")
    customer.owners.write(Owner(other.key, other.email))

    await gate.refresh()

    assert gate.is_open


async def test_an_owner_that_is_none_is_left_alone(customer: LicensedMachine) -> None:
    gate = await customer.open_gate()
    customer.owners.write(Owner("nonsense", "nonsense"))

    await gate.refresh()

    assert gate.is_open


async def test_a_running_gate_goes_on_with_what_another_process_activated(
    customer: LicensedMachine,
) -> None:
    customer.simulator.change(customer.license, code="EXPIRED")
    gate = await customer.open_gate()
    assert not gate.is_open
    bought = customer.simulator.sell(2, product=PRODUCT, email="bob@example.com")

    await customer.new_gate().activate(Owner(bought.key, bought.email))
    await gate.refresh()

    assert gate.is_open


async def test_the_next_start_finds_what_was_activated_before(customer: LicensedMachine) -> None:
    customer.simulator.change(customer.license, code="EXPIRED")
    bought = customer.simulator.sell(2, product=PRODUCT, email="bob@example.com")
    await (await customer.open_gate()).activate(Owner(bought.key, bought.email))

    assert (await customer.open_gate()).is_open


async def test_a_configured_license_that_is_usable_comes_first(customer: LicensedMachine) -> None:
    bought = customer.simulator.sell(2, product=PRODUCT, kind="trial", email="bob@example.com")
    await (await customer.open_gate()).activate(Owner(bought.key, bought.email))

    assert (await customer.open_gate()).view.type == "paid"


async def test_a_folder_that_cannot_be_written_stops_no_activation(
    customer: LicensedMachine,
) -> None:
    gate = await customer.open_gate()
    bought = customer.simulator.sell(2, product=PRODUCT, kind="trial", email="bob@example.com")
    (customer.folder / FILE_NAME).mkdir()

    assert (await gate.activate(Owner(bought.key, bought.email))).type == "trial"


# trials


async def test_a_trial_is_asked_for_by_mail(customer: LicensedMachine) -> None:
    gate = await customer.open_gate()

    await gate.request_trial("bob@example.com")

    assert customer.simulator.trials == [{"email": "bob@example.com", "product": PRODUCT}]


async def test_a_malformed_address_starts_no_trial(customer: LicensedMachine) -> None:
    gate = await customer.open_gate()

    with pytest.raises(LicenseRefusedError) as refused:
        await gate.request_trial("bob")

    assert refused.value.details == "INVALID_FIELD"


async def test_a_trial_without_the_server_is_for_later(customer: LicensedMachine) -> None:
    gate = await customer.open_gate()
    customer.simulator.switch = unreachable

    with pytest.raises(LicenseServerUnreachableError):
        await gate.request_trial("bob@example.com")
