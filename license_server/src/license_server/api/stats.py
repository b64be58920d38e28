"""Figures of the vendor's business over HTTP."""

from datetime import date
from typing import Annotated, Final

from pydantic import Field

from license_server.admin.stats import Figures, figures
from license_server.api.endpoints import (
    READERS,
    AnyEndpoint,
    Call,
    Document,
    Endpoint,
    Members,
    Nothing,
    Reply,
)
from license_server.api.members import Shown
from license_server.licenses import Kind, Status
from license_server.products import CODE
from license_server.stats import DeploymentCount


class StatsQuery(Members):
    """Of which product; all if it is missing."""

    product: Annotated[str, Field(pattern=f"^{CODE.pattern}$")] | None = None


class DeploymentFigures(Document):
    """Deployments that are not archived, and how many of them were seen lately."""

    live: int
    seen_in_1_day: int
    seen_in_7_days: int
    seen_in_30_days: int


class DayFigures(Document):
    """New deployments of one day, UTC."""

    day: date
    activations: int


class ClientFigures(Document):
    """Live deployments that run one version of a client."""

    name: str
    version: str
    deployments: int

    @classmethod
    def of(cls, count: DeploymentCount) -> "ClientFigures":
        """Return what is answered of a count."""
        return cls(name=count.client_name, version=count.client_version, deployments=count.number)


class ProductFigures(Document):
    """What is counted of one product; clients by the number of their deployments, 50 at most."""

    product: str
    licenses: dict[Kind, dict[Status, int]]
    expiring_in_30_days: int
    deployments: DeploymentFigures
    activations: tuple[DayFigures, ...]
    clients: tuple[ClientFigures, ...]

    @classmethod
    def of(cls, told: Figures) -> "ProductFigures":
        """Return what is answered of figures."""
        day, week, month = told.seen
        return cls(
            product=told.product,
            licenses={kind: dict(numbers) for kind, numbers in told.licenses.items()},
            expiring_in_30_days=told.expiring,
            deployments=DeploymentFigures(
                live=told.deployments,
                seen_in_1_day=day,
                seen_in_7_days=week,
                seen_in_30_days=month,
            ),
            activations=tuple(
                DayFigures(day=day, activations=number) for day, number in told.activations.items()
            ),
            clients=tuple(map(ClientFigures.of, told.clients)),
        )


class StatsDocument(Document):
    """Figures of products, by their codes."""

    at: Shown
    products: tuple[ProductFigures, ...]


async def _show(call: Call[StatsQuery, Nothing]) -> Reply:
    told = await figures(call.desk, call.query.product)
    return Reply(StatsDocument(at=call.desk.now, products=tuple(map(ProductFigures.of, told))))


ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        "GET", "/v1/admin/stats", "stats.show",
        "Count licenses, deployments, activations and client versions", READERS, StatsQuery,
        Nothing, StatsDocument, _show,
    ),
)  # fmt: skip
