"""Figures of each product, for the vendor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from license_server.admin.products import Products
from license_server.desk import Desk
from license_server.licenses import Kind, Status
from license_server.stats import (
    ACTIVATION_DAYS,
    SEEN_WITHIN,
    ActivationCount,
    DeploymentCount,
    LicenseCount,
)

MOST_VERSIONS: Final = 50
"""Client versions that are told of one product, those of most deployments: a customer could make
up any number of them."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is counted of one product.

    Attributes:
        product: code.
        licenses: by kind and status, zeros included.
        expiring: licenses in force that end within 30 days.
        deployments: that are not archived.
        seen: how many of them were seen within each of `SEEN_WITHIN`.
        activations: deployments first seen on each of the last 30 days, oldest first.
        clients: the clients that they run, those of most deployments first.
    """

    product: str
    licenses: Mapping[Kind, Mapping[Status, int]]
    expiring: int
    deployments: int
    seen: tuple[int, ...]
    activations: Mapping[date, int]
    clients: Sequence[DeploymentCount]


async def figures(desk: Desk, product: str | None) -> Sequence[Figures]:
    """Return the figures of one product, or of all (None) by their codes.

    Raises:
        NotFound: there is no such product.
    """
    if product is None:
        codes = [record.product.code for record in await Products(desk).all()]
    else:
        codes = [(await Products(desk).get(product)).product.code]
    today = desk.now.date()
    days = [today - timedelta(days=back) for back in reversed(range(ACTIVATION_DAYS))]
    store = desk.transaction.stats
    licenses = await store.licenses(product, desk.now)
    deployments = await store.deployments(product, desk.now)
    activations = await store.activations(product, days[0])
    return [
        _figures(
            code,
            days,
            [one for one in licenses if one.product == code],
            [one for one in deployments if one.product == code],
            [one for one in activations if one.product == code],
        )
        for code in codes
    ]


def _figures(
    product: str,
    days: Sequence[date],
    licenses: Sequence[LicenseCount],
    deployments: Sequence[DeploymentCount],
    activations: Sequence[ActivationCount],
) -> Figures:
    counted = {(one.kind, one.status): one.number for one in licenses}
    by_day = {one.day: one.number for one in activations}
    by_number = sorted(
        deployments, key=lambda one: (-one.number, one.client_name, one.client_version)
    )
    return Figures(
        product=product,
        licenses={
            kind: {status: counted.get((kind, status), 0) for status in Status} for kind in Kind
        },
        expiring=sum(one.expiring for one in licenses),
        deployments=sum(one.number for one in deployments),
        seen=tuple(sum(one.seen[nth] for one in deployments) for nth in range(len(SEEN_WITHIN))),
        activations={day: by_day.get(day, 0) for day in days},
        clients=by_number[:MOST_VERSIONS],
    )
