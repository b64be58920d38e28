"""Products over HTTP."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from license_server.admin.products import Products
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
from license_server.api.members import (
    Entitlement,
    PrintableName,
    ProductCode,
    Seconds,
    exactly,
    seconds_of,
    span,
    told,
    told_span,
)
from license_server.products import (
    KEY_PREFIX,
    LONGEST_SPAN,
    MAX_LIVE_DEPLOYMENTS,
    MAX_NOTICES,
    MAX_OFFLINE_GRACE,
    MIN_REFRESH,
    SHORTEST_LIFE,
    VERSION,
    Policy,
    Product,
)
from license_server.stores import ProductRecord
from license_server.strict_json import MAX_INTEGER

_DEFAULT: Final = Policy()
_SPANS: Final = ("trial", "renewal_grace", "refresh", "lease", "offline_grace")


_Life = Annotated[Seconds, told_span(SHORTEST_LIFE, LONGEST_SPAN)]
_Grace = Annotated[Seconds, told_span(timedelta(), LONGEST_SPAN)]
_Offline = Annotated[Seconds, told_span(MIN_REFRESH, MAX_OFFLINE_GRACE)]
_Notices = Annotated[tuple[_Grace, ...], Field(max_length=MAX_NOTICES)]
_KeyPrefix = Annotated[str, told(pattern=exactly(KEY_PREFIX))]
_Seats = Annotated[int, told(minimum=1, maximum=MAX_LIVE_DEPLOYMENTS)]
_Limits = Annotated[
    dict[Entitlement, Annotated[int, told(minimum=0, maximum=MAX_INTEGER)]],
    told(additionalProperties=False),
]
_Version = Annotated[str, told(pattern=exactly(VERSION))]


class PolicyMembers(Members):
    """A policy; spans are whole seconds."""

    key_prefix: _KeyPrefix = _DEFAULT.key_prefix
    validity_seconds: _Life | None = None
    trial_seconds: _Life = seconds_of(_DEFAULT.trial)
    renewal_grace_seconds: _Grace = seconds_of(_DEFAULT.renewal_grace)
    refresh_seconds: _Offline = seconds_of(_DEFAULT.refresh)
    lease_seconds: _Offline = seconds_of(_DEFAULT.lease)
    offline_grace_seconds: _Offline = seconds_of(_DEFAULT.offline_grace)
    expiring_notices_seconds: _Notices = tuple(map(seconds_of, _DEFAULT.expiring_notices))
    deployment_limit: _Seats | None = None
    entitlements: tuple[Entitlement, ...] = ()
    limits: _Limits = Field(default_factory=dict)
    minimum_client_version: _Version | None = None
    recommended_client_version: _Version | None = None

    def policy(self) -> Policy:
        """Return the policy; `require_sound` judges it."""
        return Policy(
            key_prefix=self.key_prefix,
            validity=span(self.validity_seconds),
            **{name: timedelta(seconds=getattr(self, f"{name}_seconds")) for name in _SPANS},
            expiring_notices=tuple(
                timedelta(seconds=seconds)
                for seconds in sorted(set(self.expiring_notices_seconds), reverse=True)
            ),
            deployment_limit=self.deployment_limit,
            entitlements=tuple(sorted(set(self.entitlements))),
            limits=self.limits,
            minimum_client_version=self.minimum_client_version,
            recommended_client_version=self.recommended_client_version,
        )


class NewProduct(PolicyMembers):
    """A product to be created."""

    code: ProductCode
    name: PrintableName


def _without_defaults(schema: dict[str, Any]) -> None:
    for member in schema["properties"].values():
        member.pop("default", None)


class ProductChange(PolicyMembers):
    """What to change of a product; what is left out stays."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    name: PrintableName = ""


class ProductDocument(Document):
    """A product."""

    code: str
    name: str
    key_prefix: str
    validity_seconds: int | None
    trial_seconds: int
    renewal_grace_seconds: int
    refresh_seconds: int
    lease_seconds: int
    offline_grace_seconds: int
    expiring_notices_seconds: tuple[int, ...]
    deployment_limit: int | None
    entitlements: tuple[str, ...]
    limits: dict[str, int]
    minimum_client_version: str | None
    recommended_client_version: str | None
    version: int

    @classmethod
    def of(cls, record: ProductRecord) -> "ProductDocument":
        """Return what is answered of a product."""
        product, policy = record.product, record.product.policy
        validity = policy.validity
        return cls(
            code=product.code,
            name=product.name,
            key_prefix=policy.key_prefix,
            validity_seconds=None if validity is None else seconds_of(validity),
            **{f"{name}_seconds": seconds_of(getattr(policy, name)) for name in _SPANS},
            expiring_notices_seconds=tuple(map(seconds_of, policy.expiring_notices)),
            deployment_limit=policy.deployment_limit,
            entitlements=policy.entitlements,
            limits=dict(policy.limits),
            minimum_client_version=policy.minimum_client_version,
            recommended_client_version=policy.recommended_client_version,
            version=record.version,
        )


class ProductList(Document):
    """All products, by code."""

    items: tuple[ProductDocument, ...]


async def _create(call: Call[Nothing, NewProduct]) -> Reply:
    made = Product(call.body.code, call.body.name, call.body.policy())
    return _reply(await Products(call.desk).create(made))


async def _list(call: Call[Nothing, Nothing]) -> Reply:
    records = await Products(call.desk).all()
    return Reply(ProductList(items=tuple(map(ProductDocument.of, records))))


async def _get(call: Call[Nothing, Nothing]) -> Reply:
    return _reply(await Products(call.desk).get(call.path["code"]))


async def _change(call: Call[Nothing, ProductChange]) -> Reply:
    record = await Products(call.desk).get(call.path["code"])
    call.require_version(record.version)
    present = ProductDocument.of(record).model_dump(exclude={"version"})
    named = call.body.model_fields_set
    merged = NewProduct.model_validate(present | call.body.model_dump(include=named))
    changed = Product(merged.code, merged.name, merged.policy())
    return _reply(await Products(call.desk).change(record, changed))


def _reply(record: ProductRecord) -> Reply:
    return Reply(ProductDocument.of(record), record.version)


_ALL: Final = "/v1/admin/products"
_ONE: Final = "/v1/admin/products/{code}"

ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        "GET", _ALL, "product.list", "List all products", READERS, Nothing, Nothing,
        ProductList, _list,
    ),
    Endpoint(
        "POST", _ALL, "product.create", "Create a product", OWNERS, Nothing, NewProduct,
        ProductDocument, _create, HTTPStatus.CREATED,
    ),
    Endpoint(
        "GET", _ONE, "product.get", "Show a product", READERS, Nothing, Nothing,
        ProductDocument, _get,
    ),
    Endpoint(
        "PATCH", _ONE, "product.change", "Change a product's name or policy", OWNERS, Nothing,
        ProductChange, ProductDocument, _change,
    ),
)  # fmt: skip
