"""What the database counts for a vendor: licenses, deployments, activations, client versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from license_server.licenses import Kind, Status

SEEN_WITHIN: Final = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
"""How far back a vendor asks how many deployments were seen."""
EXPIRING_WITHIN: Final = timedelta(days=30)
ACTIVATION_DAYS: Final = 30
"""Days of which new deployments are counted, today's among them; UTC."""


@dataclass(frozen=True, slots=True)
class LicenseCount:
    """Licenses of one product, kind and status.

    Attributes:
        product: code.
        kind: paid or trial.
        status: how they stand now.
        number: how many.
        expiring: how many of them are in force and end within `EXPIRING_WITHIN`.
    """

    product: str
    kind: Kind
    status: Status
    number: int
    expiring: int


@dataclass(frozen=True, slots=True)
class DeploymentCount:
    """Deployments of one product that are not archived, by the client that they run.

    Attributes:
        product: code.
        client_name: name of the client library.
        client_version: its version.
        number: how many.
        seen: how many of them were seen within each of `SEEN_WITHIN`.
    """

    product: str
    client_name: str
    client_version: str
    number: int
    seen: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ActivationCount:
    """Deployments of one product that were first seen on one day (UTC) and are still known."""

    product: str
    day: date
    number: int


class StatsStore(Protocol):
    """Counts; each is one statement. A product's code narrows them down, None = all products."""

    async def licenses(self, product: str | None, now: datetime) -> Sequence[LicenseCount]:
        """Count licenses."""

    async def deployments(self, product: str | None, now: datetime) -> Sequence[DeploymentCount]:
        """Count deployments."""

    async def activations(self, product: str | None, since: date) -> Sequence[ActivationCount]:
        """Count new deployments, from a day on."""
