"""Operators: who they are, what proves it, and how they are switched off, on both databases."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from license_server.admin.operators import Enrolled, Operators, proven_hash
from license_server.errors import CredentialInvalid, InvalidField, StateConflict
from license_server.operators import Operator
from license_server.sessions import Session
from license_server.tokens import Role
from license_server.totp import STEP_SECONDS, code_at
from support.admin_api import AdminClient
from support.licensed_vendor import Vendor
from support.licensing import NOW

STEP = timedelta(seconds=STEP_SECONDS)
CHOSEN = "correct horse battery"


@pytest.fixture
async def ada(vendor: Vendor) -> Enrolled:
    async with vendor.desk(NOW) as desk:
        return await Operators(desk).create("ada", Role.ISSUER)


@pytest.fixture
async def api(vendor: Vendor) -> AsyncIterator[AdminClient]:
    async with AdminClient.opened(vendor) as opened:
        yield opened


def code_of(enrolled: Enrolled, steps: int = 0) -> str:
    return code_at(base64.b32decode(enrolled.totp_secret), NOW + steps * STEP)


async def sign_in(vendor: Vendor, name: str, password: str, code: str) -> Operator:
    async with vendor.desk(NOW) as desk:
        password_hash = await Operators(desk).password_hash(name)
    proven = await proven_hash(password, password_hash)
    async with vendor.desk(NOW) as desk:
        return await Operators(desk).require(name, proven, code)


async def has_session(vendor: Vendor, session: Session) -> bool:
    async with vendor.desk(NOW) as desk:
        return await desk.transaction.sessions.find(session.hash) is not None


@pytest.fixture
async def session(vendor: Vendor, ada: Enrolled) -> Session:
    begun = Session(bytes(32), ada.operator.operator_id, NOW, NOW)
    async with vendor.desk(NOW) as desk:
        await desk.transaction.sessions.add(begun)
    return begun


async def test_who_knows_password_and_code_is_the_operator(vendor: Vendor, ada: Enrolled) -> None:
    signed_in = await sign_in(vendor, "ada", ada.password, code_of(ada))
    assert (signed_in.name, signed_in.role) == ("ada", Role.ISSUER)
    assert signed_in.signed_in_at == NOW


async def test_an_app_may_show_the_code_in_two_groups(vendor: Vendor, ada: Enrolled) -> None:
    code = code_of(ada)
    assert (await sign_in(vendor, "ada", ada.password, f"{code[:3]} {code[3:]}")).name == "ada"


async def test_whatever_is_wrong_the_refusal_is_the_same(vendor: Vendor, ada: Enrolled) -> None:
    texts = set()
    for name, password, code in (
        ("ada", ada.password + "x", code_of(ada)),
        ("ada", ada.password, code_of(ada, 5)),
        ("ada", ada.password, ""),
        ("eve", ada.password, code_of(ada)),
        ("", "", ""),
    ):
        with pytest.raises(CredentialInvalid) as refusal:
            await sign_in(vendor, name, password, code)
        texts.add(str(refusal.value))
    assert len(texts) == 1


async def test_a_code_that_was_seen_is_of_no_use(vendor: Vendor, ada: Enrolled) -> None:
    await sign_in(vendor, "ada", ada.password, code_of(ada))
    with pytest.raises(CredentialInvalid):
        await sign_in(vendor, "ada", ada.password, code_of(ada))
    assert (await sign_in(vendor, "ada", ada.password, code_of(ada, 1))).name == "ada"


async def test_of_two_who_use_a_code_at_one_instant_one_gets_in(
    vendor: Vendor, ada: Enrolled
) -> None:
    tries = [sign_in(vendor, "ada", ada.password, code_of(ada)) for _ in range(5)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(one) for one in outcomes].count(Operator) == 1
    assert [type(one) for one in outcomes].count(CredentialInvalid) == 4


async def test_a_password_that_was_replaced_meanwhile_proves_nothing(
    vendor: Vendor, ada: Enrolled
) -> None:
    async with vendor.desk(NOW) as desk:
        proven = await proven_hash(ada.password, await Operators(desk).password_hash("ada"))
        anew = await Operators(desk).reset(ada.operator.operator_id)
        with pytest.raises(CredentialInvalid):
            await Operators(desk).require("ada", proven, code_of(anew))


async def test_a_disabled_operator_is_out_at_once(
    vendor: Vendor, ada: Enrolled, session: Session
) -> None:
    async with vendor.desk(NOW) as desk:
        await Operators(desk).disable(ada.operator.operator_id)
    assert not await has_session(vendor, session)
    with pytest.raises(CredentialInvalid):
        await sign_in(vendor, "ada", ada.password, code_of(ada))
    async with vendor.desk(NOW) as desk:
        await Operators(desk).enable(ada.operator.operator_id)
    assert (await sign_in(vendor, "ada", ada.password, code_of(ada))).name == "ada"


async def test_a_reset_makes_everything_of_before_useless(
    vendor: Vendor, ada: Enrolled, session: Session
) -> None:
    async with vendor.desk(NOW) as desk:
        anew = await Operators(desk).reset(ada.operator.operator_id)
    assert not await has_session(vendor, session)
    for password, code in ((ada.password, code_of(anew)), (anew.password, code_of(ada))):
        with pytest.raises(CredentialInvalid):
            await sign_in(vendor, "ada", password, code)
    assert (await sign_in(vendor, "ada", anew.password, code_of(anew))).name == "ada"


async def test_an_operator_chooses_its_password(
    vendor: Vendor, ada: Enrolled, session: Session
) -> None:
    operator_id = ada.operator.operator_id
    async with vendor.desk(NOW) as desk:
        operators = Operators(desk)
        with pytest.raises(CredentialInvalid):
            await operators.change_password(operator_id, "x" * 20, CHOSEN, code_of(ada))
        with pytest.raises(CredentialInvalid):
            await operators.change_password(operator_id, ada.password, CHOSEN, "000000")
        with pytest.raises(InvalidField, match="new_password"):
            await operators.change_password(operator_id, ada.password, "short", code_of(ada))
    assert await has_session(vendor, session)
    async with vendor.desk(NOW) as desk:
        await Operators(desk).change_password(operator_id, ada.password, CHOSEN, code_of(ada))
    assert not await has_session(vendor, session)
    assert (await sign_in(vendor, "ada", CHOSEN, code_of(ada, 1))).password_changed_at == NOW


async def test_nobody_disables_or_promotes_themselves(vendor: Vendor, ada: Enrolled) -> None:
    operator_id = ada.operator.operator_id
    async with vendor.desk(NOW, actor=operator_id) as desk:
        with pytest.raises(StateConflict):
            await Operators(desk).disable(operator_id)
        with pytest.raises(StateConflict):
            await Operators(desk).change_role(operator_id, Role.OWNER)


async def test_the_database_holds_neither_password_nor_secret(
    vendor: Vendor, ada: Enrolled
) -> None:
    async with vendor.desk(NOW) as desk:
        kept = await desk.transaction.operators.get(ada.operator.operator_id)
    assert kept is not None
    held = f"{kept.password_hash}{kept.totp_sealed!r}".encode()
    assert ada.password.encode() not in held
    assert base64.b32decode(ada.totp_secret) not in kept.totp_sealed
    assert ada.password not in repr(ada)
    assert ada.totp_secret not in repr(ada)


async def test_operators_are_managed_over_http(api: AdminClient) -> None:
    made = await api.post("operators", name="grace", role="support")
    assert made["totp_uri"].startswith("otpauth://totp/")
    assert await api.refused("POST", "operators", json={"name": "grace", "role": "owner"}) == (
        409,
        "STATE_CONFLICT",
    )
    assert await api.refused("POST", "operators", json={"name": "Grace H", "role": "owner"}) == (
        400,
        "INVALID_FIELD",
    )
    path = f"operators/{made['id']}"
    assert (await api.ask("PATCH", path, json={"role": "auditor"})).json()["role"] == "auditor"
    assert (await api.post(f"{path}/sign-out")) == {"ended": 0}
    assert (await api.post(f"{path}/reset"))["password"] != made["password"]
    assert (await api.post(f"{path}/disable"))["disabled_at"] is not None
    listed = (await api.get("operators"))["items"]
    assert [(one["name"], one["role"]) for one in listed] == [("grace", "auditor")]
    assert "password" not in listed[0]
    actions = [entry["action"] for entry in (await api.get("audit"))["items"]]
    assert [action for action in actions if action.startswith("operator.")] == [
        "operator.create",
        "operator.change_role",
        "operator.sign_out",
        "operator.reset",
        "operator.disable",
    ]


async def test_a_token_has_no_password_to_change(api: AdminClient) -> None:
    body = {"present_password": "x", "new_password": CHOSEN, "code": "000000"}
    assert await api.refused("POST", "account/password", json=body) == (404, "NOT_FOUND")
