"""Operators over HTTP."""

from http import HTTPStatus
from typing import Annotated, Final

from pydantic import Field

from license_server.admin.operators import Enrolled, Operators
from license_server.api.endpoints import (
    OWNERS,
    READERS,
    AnyEndpoint,
    Call,
    Document,
    Endpoint,
    Members,
    Nothing,
    Reply,
)
from license_server.api.members import Shown, exactly, told
from license_server.operators import NAME, Operator
from license_server.tokens import Role

_Name = Annotated[str, told(pattern=exactly(NAME))]
_Secret = Annotated[str, Field(max_length=1024, repr=False)]


class NewOperator(Members):
    """An operator to be made."""

    name: _Name
    role: Role


class OperatorChange(Members):
    """What an operator may do from now on."""

    role: Role


class NewPassword(Members):
    """The caller's next password, with what proves that it is the caller."""

    present_password: _Secret
    new_password: _Secret
    code: Annotated[str, Field(max_length=16, repr=False)]


class OperatorDocument(Document):
    """An operator, without secrets."""

    id: str
    name: str
    role: Role
    created_at: Shown
    password_changed_at: Shown | None
    signed_in_at: Shown | None
    disabled_at: Shown | None

    @classmethod
    def of(cls, operator: Operator) -> "OperatorDocument":
        """Return what is answered of an operator."""
        return cls(
            id=operator.operator_id,
            name=operator.name,
            role=operator.role,
            created_at=operator.created_at,
            password_changed_at=operator.password_changed_at,
            signed_in_at=operator.signed_in_at,
            disabled_at=operator.disabled_at,
        )


class EnrolledDocument(Document):
    """An operator and, this once, what it signs in by."""

    id: str
    name: str
    role: Role
    password: str = Field(repr=False)
    totp_secret: str = Field(repr=False)
    totp_uri: str = Field(repr=False)

    @classmethod
    def of(cls, enrolled: Enrolled) -> "EnrolledDocument":
        """Return what is answered of an operator with new secrets."""
        return cls(
            id=enrolled.operator.operator_id,
            name=enrolled.operator.name,
            role=enrolled.operator.role,
            password=enrolled.password,
            totp_secret=enrolled.totp_secret,
            totp_uri=enrolled.totp_uri,
        )


class OperatorList(Document):
    """All operators, by name."""

    items: tuple[OperatorDocument, ...]


class EndedSessions(Document):
    """How many sessions were ended."""

    ended: int


async def _create(call: Call[Nothing, NewOperator]) -> Reply:
    enrolled = await Operators(call.desk).create(call.body.name, call.body.role)
    return Reply(EnrolledDocument.of(enrolled))


async def _list(call: Call[Nothing, Nothing]) -> Reply:
    operators = await Operators(call.desk).all()
    return Reply(OperatorList(items=tuple(map(OperatorDocument.of, operators))))


async def _change(call: Call[Nothing, OperatorChange]) -> Reply:
    operators = Operators(call.desk)
    return _reply(await operators.change_role(call.path["operator_id"], call.body.role))


async def _reset(call: Call[Nothing, Nothing]) -> Reply:
    enrolled = await Operators(call.desk).reset(call.path["operator_id"])
    return Reply(EnrolledDocument.of(enrolled))


async def _disable(call: Call[Nothing, Nothing]) -> Reply:
    return _reply(await Operators(call.desk).disable(call.path["operator_id"]))


async def _enable(call: Call[Nothing, Nothing]) -> Reply:
    return _reply(await Operators(call.desk).enable(call.path["operator_id"]))


async def _sign_out(call: Call[Nothing, Nothing]) -> Reply:
    return Reply(EndedSessions(ended=await Operators(call.desk).sign_out(call.path["operator_id"])))


async def _change_password(call: Call[Nothing, NewPassword]) -> Reply:
    body = call.body
    changed = await Operators(call.desk).change_password(
        call.desk.actor, body.present_password, body.new_password, body.code
    )
    return _reply(changed)


def _reply(operator: Operator) -> Reply:
    return Reply(OperatorDocument.of(operator))


_ALL: Final = "/v1/admin/operators"
_ONE: Final = f"{_ALL}/{{operator_id}}"

ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        "GET", _ALL, "operator.list", "List all operators of the console", OWNERS, Nothing,
        Nothing, OperatorList, _list,
    ),
    Endpoint(
        "POST", _ALL, "operator.create",
        "Make an operator and answer its password and TOTP secret, this once", OWNERS, Nothing,
        NewOperator, EnrolledDocument, _create, HTTPStatus.CREATED,
    ),
    Endpoint(
        "PATCH", _ONE, "operator.change", "Give an operator another role", OWNERS, Nothing,
        OperatorChange, OperatorDocument, _change,
    ),
    Endpoint(
        "POST", f"{_ONE}/reset", "operator.reset",
        "Give an operator a new password and TOTP secret, this once, and sign it out", OWNERS,
        Nothing, Nothing, EnrolledDocument, _reset,
    ),
    Endpoint(
        "POST", f"{_ONE}/disable", "operator.disable", "Switch an operator off and sign it out",
        OWNERS, Nothing, Nothing, OperatorDocument, _disable,
    ),
    Endpoint(
        "POST", f"{_ONE}/enable", "operator.enable", "Switch a disabled operator on again", OWNERS,
        Nothing, Nothing, OperatorDocument, _enable,
    ),
    Endpoint(
        "POST", f"{_ONE}/sign-out", "operator.sign_out", "End all sessions of an operator", OWNERS,
        Nothing, Nothing, EndedSessions, _sign_out,
    ),
    Endpoint(
        "POST", "/v1/admin/account/password", "account.change_password",
        "Choose a new password for oneself, an operator", READERS, Nothing, NewPassword,
        OperatorDocument, _change_password,
    ),
)  # fmt: skip
