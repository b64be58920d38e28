"""Licenses over HTTP."""

from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import Field, model_validator

from license_server.admin.licenses import (
    MAX_METADATA,
    MAX_METADATA_NAME,
    MAX_METADATA_VALUE,
    MAX_NOTES,
    MAX_OVERLAP,
    Issued,
    Licenses,
    LicenseView,
)
from license_server.api.endpoints import (
    ISSUERS,
    READERS,
    SUPPORTERS,
    AnyEndpoint,
    Call,
    Document,
    Endpoint,
    Members,
    Nothing,
    Reply,
)
from license_server.api.license_filters import LicenseFilterQuery
from license_server.api.members import (
    EmailText,
    Entitlement,
    Instant,
    Page,
    PageQuery,
    ProductCode,
    Seconds,
    Shown,
    cursor_of,
    seconds_of,
    span,
    told,
)
from license_server.emails import Email
from license_server.errors import FieldError, InvalidField
from license_server.licenses import Change, Kind, License, Status
from license_server.orders import Order
from license_server.stores import NEVER, LicenseOrder

_DEFAULT_OVERLAP: Final = 7 * 86_400
_MOST_COUNTED: Final = 10_000


_Length = Annotated[Seconds, told(minimum=1)]
_Overlap = Annotated[Seconds, told(maximum=seconds_of(MAX_OVERLAP))]
_Notes = Annotated[str, told(maxLength=MAX_NOTES)]
_Metadata = Annotated[
    dict[
        Annotated[str, told(minLength=1, maxLength=MAX_METADATA_NAME)],
        Annotated[str, told(maxLength=MAX_METADATA_VALUE)],
    ],
    told(maxProperties=MAX_METADATA),
]


class _Ending(Members):
    """An end, given as an instant or as a length; neither = as the product's policy says."""

    expires_at: Instant | None = None
    lasts_seconds: _Length | None = None

    @model_validator(mode="after")
    def _require_one(self) -> "_Ending":
        if self.expires_at is not None and self.lasts_seconds is not None:
            raise ValueError("expires_at or lasts_seconds is expected, not both")
        return self


class NewLicense(_Ending):
    """A license to be issued."""

    product: ProductCode
    email: EmailText
    kind: Kind = Kind.PAID
    starts_at: Instant | None = None
    entitlements: tuple[Entitlement, ...] = ()
    metadata: _Metadata = Field(default_factory=dict)
    mail_key: bool = False

    def order(self) -> Order:
        """Return what to issue.

        Raises:
            InvalidField: the email is none.
        """
        if self.kind is Kind.TRIAL and self.expires_at is not None:
            expected = "a trial runs from its first use: lasts_seconds is expected instead"
            raise InvalidField(FieldError("expires_at", expected))
        return Order(
            product=self.product,
            email=Email.parse(self.email),
            kind=self.kind,
            starts_at=self.starts_at,
            lasts=span(self.lasts_seconds),
            expires_at=self.expires_at,
            entitlements=self.entitlements,
        )


class LicenseQuery(PageQuery, LicenseFilterQuery):
    """Which part of which licenses; a cursor goes on in the order that it came from."""

    order: LicenseOrder = LicenseOrder.OLDEST


class LicenseChange(Members):
    """What to change of a license; what is left out stays."""

    entitlements: tuple[Entitlement, ...] | None = None
    metadata: _Metadata | None = None
    notes: _Notes | None = None


class Renewal(_Ending):
    """A later end."""

    from_now: bool = False


class Conversion(_Ending):
    """The end of what was a trial."""


class Transfer(Members):
    """A new owner."""

    email: EmailText
    mail_key: bool = False


class Rotation(Members):
    """A new key."""

    overlap_seconds: _Overlap = _DEFAULT_OVERLAP
    mail_key: bool = False


class LicenseDocument(Document):
    """A license."""

    id: str
    product: str
    owner_id: str
    email: str | None
    kind: Kind
    status: Status
    key_hint: str
    deployments: int
    issued_at: Shown
    starts_at: Shown
    expires_at: Shown | None
    trial_seconds: int | None
    renewal_grace_seconds: int
    entitlements: tuple[str, ...]
    metadata: dict[str, str]
    notes: str | None
    version: int

    @classmethod
    def of(cls, view: LicenseView) -> "LicenseDocument":
        """Return what is answered of a license."""
        return cls(**_members(view))


class IssuedDocument(LicenseDocument):
    """A license and, this once, its new key."""

    key: str = Field(repr=False)

    @classmethod
    def issued(cls, made: Issued) -> "IssuedDocument":
        """Return what is answered of a license with a new key."""
        return cls(key=made.key, **_members(made.view))


class LicenseCount(Document):
    """How many licenses there are, counted up to 10,000."""

    count: int
    is_more: bool


class LicensePage(Page):
    """Licenses in the order that was asked for."""

    items: tuple[LicenseDocument, ...]


def _members(view: LicenseView) -> dict[str, object]:
    license_ = view.license
    return {
        "id": license_.license_id,
        "product": license_.product,
        "owner_id": view.owner_id,
        "email": None if view.email is None else view.email.address,
        "kind": license_.kind,
        "status": view.status,
        "key_hint": view.key_hint,
        "deployments": view.deployments,
        "issued_at": license_.issued_at,
        "starts_at": license_.starts_at,
        "expires_at": license_.expires_at,
        "trial_seconds": None if license_.trial is None else seconds_of(license_.trial),
        "renewal_grace_seconds": seconds_of(license_.renewal_grace),
        "entitlements": license_.entitlements,
        "metadata": dict(view.metadata),
        "notes": view.notes,
        "version": view.version,
    }


async def _issue(call: Call[Nothing, NewLicense]) -> Reply:
    order, body = call.body.order(), call.body
    made = await Licenses(call.desk).issue(order, body.metadata, mails_key=body.mail_key)
    return _new_key(made)


async def _list(call: Call[LicenseQuery, Nothing]) -> Reply:
    query = call.query
    which, order = query.filter(call.desk), query.order
    views = await Licenses(call.desk).page(which, query.after(), query.limit, order)
    last = views[-1].license if len(views) == query.limit else None
    cursor = None if last is None else cursor_of(_place(last, order), last.license_id)
    items = tuple(map(LicenseDocument.of, views))
    return Reply(LicensePage(items=items, next_cursor=cursor))


def _place(license_: License, order: LicenseOrder) -> datetime:
    if order in {LicenseOrder.ENDS_FIRST, LicenseOrder.ENDS_LAST}:
        return license_.expires_at or NEVER
    return license_.issued_at


async def _count(call: Call[LicenseFilterQuery, Nothing]) -> Reply:
    which = call.query.filter(call.desk)
    counted = await call.desk.transaction.licenses.count(which, _MOST_COUNTED + 1)
    is_more = counted > _MOST_COUNTED
    return Reply(LicenseCount(count=min(counted, _MOST_COUNTED), is_more=is_more))


async def _get(call: Call[Nothing, Nothing]) -> Reply:
    return _reply(await Licenses(call.desk).get(call.path["license_id"]))


async def _change(call: Call[Nothing, LicenseChange]) -> Reply:
    licenses, license_id, body = Licenses(call.desk), call.path["license_id"], call.body
    call.require_version((await licenses.get(license_id)).version)
    changed = await licenses.edit(
        license_id, entitlements=body.entitlements, metadata=body.metadata, notes=body.notes
    )
    return _reply(changed)


async def _change_standing(change: Change, call: Call[Nothing, Nothing]) -> Reply:
    return _reply(await Licenses(call.desk).change_standing(call.path["license_id"], change))


async def _renew(call: Call[Nothing, Renewal]) -> Reply:
    body = call.body
    renewed = await Licenses(call.desk).renew(
        call.path["license_id"],
        until=body.expires_at,
        lasts=span(body.lasts_seconds),
        from_now=body.from_now,
    )
    return _reply(renewed)


async def _convert(call: Call[Nothing, Conversion]) -> Reply:
    converted = await Licenses(call.desk).convert(
        call.path["license_id"], until=call.body.expires_at, lasts=span(call.body.lasts_seconds)
    )
    return _reply(converted)


async def _transfer(call: Call[Nothing, Transfer]) -> Reply:
    email = Email.parse(call.body.email)
    made = await Licenses(call.desk).transfer(
        call.path["license_id"], email, mails_key=call.body.mail_key
    )
    return _new_key(made)


async def _rotate(call: Call[Nothing, Rotation]) -> Reply:
    overlap = timedelta(seconds=call.body.overlap_seconds)
    made = await Licenses(call.desk).rotate_key(
        call.path["license_id"], overlap, mails_key=call.body.mail_key
    )
    return _new_key(made)


def _reply(view: LicenseView) -> Reply:
    return Reply(LicenseDocument.of(view), view.version)


def _new_key(made: Issued) -> Reply:
    return Reply(IssuedDocument.issued(made), made.view.version)


_ALL: Final = "/v1/admin/licenses"
_ONE: Final = "/v1/admin/licenses/{license_id}"

ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        "GET", _ALL, "license.list", "List licenses", READERS, LicenseQuery, Nothing,
        LicensePage, _list,
    ),
    Endpoint(
        "GET", f"{_ALL}/count", "license.count", "Count licenses, up to 10,000", READERS,
        LicenseFilterQuery, Nothing, LicenseCount, _count,
    ),
    Endpoint(
        "POST", _ALL, "license.issue", "Issue a license and answer its key, this once", ISSUERS,
        Nothing, NewLicense, IssuedDocument, _issue, HTTPStatus.CREATED,
    ),
    Endpoint(
        "GET", _ONE, "license.get", "Show a license", READERS, Nothing, Nothing, LicenseDocument,
        _get,
    ),
    Endpoint(
        "PATCH", _ONE, "license.change", "Change entitlements, metadata or notes", SUPPORTERS,
        Nothing, LicenseChange, LicenseDocument, _change,
    ),
    *(
        Endpoint(
            "POST", f"{_ONE}/{change.value}", f"license.{change.value}", summary, roles, Nothing,
            Nothing, LicenseDocument, partial(_change_standing, change),
        )
        for change, summary, roles in (
            (Change.SUSPEND, "Suspend a license until it is reinstated", SUPPORTERS),
            (Change.REINSTATE, "Reinstate a suspended license", SUPPORTERS),
            (Change.REVOKE, "Revoke a license for good", ISSUERS),
        )
    ),
    Endpoint(
        "POST", f"{_ONE}/renew", "license.renew", "Give a paid license a later end", ISSUERS,
        Nothing, Renewal, LicenseDocument, _renew,
    ),
    Endpoint(
        "POST", f"{_ONE}/convert", "license.convert", "Make a trial a paid license", ISSUERS,
        Nothing, Conversion, LicenseDocument, _convert,
    ),
    Endpoint(
        "POST", f"{_ONE}/transfer", "license.transfer",
        "Give a license to another owner, with a new key", ISSUERS, Nothing, Transfer,
        IssuedDocument, _transfer,
    ),
    Endpoint(
        "POST", f"{_ONE}/rotate-key", "license.rotate_key",
        "Replace the key; the old one goes on for a while", SUPPORTERS, Nothing, Rotation,
        IssuedDocument, _rotate,
    ),
)  # fmt: skip
