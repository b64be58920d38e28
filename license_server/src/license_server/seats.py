"""Who gets a seat: the deployment limit of a license, and the limits against abuse."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from license_server.errors import RateLimited
from license_server.evaluation import Seat
from license_server.products import MAX_LIVE_DEPLOYMENTS

NEW_DEPLOYMENTS_PER_HOUR: Final = 60
"""Of one license (contract, "Limits of abuse")."""

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Occupancy:
    """The deployments of a license, counted while no other can register.

    Attributes:
        live: all of them.
        new: those first seen in the last hour.
        oldest_new_at: when the first of the new ones came; None = there is none.
        is_registered: the asking one is among them.
    """

    live: int
    new: int
    oldest_new_at: datetime | None
    is_registered: bool


def allot_seat(occupancy: Occupancy, limit: int | None, now: datetime) -> Seat:
    """Say what the asking deployment gets: `TAKEN`, `FULL` or `UNRECORDED`.

    Args:
        occupancy: of the license.
        limit: most deployments; None = unlimited, and so never refused.
        now: the server's time.

    Raises:
        RateLimited: a limited license gets new deployments too fast.
    """
    if occupancy.is_registered:
        return Seat.TAKEN
    if limit is not None and occupancy.live >= limit:
        return Seat.FULL
    if occupancy.new >= NEW_DEPLOYMENTS_PER_HOUR and limit is not None:
        oldest = occupancy.oldest_new_at or now
        raise RateLimited(
            "too many new deployments of this license in an hour",
            retry_after_seconds=max(1.0, (oldest + HOUR - now).total_seconds()),
        )
    is_crowded = occupancy.live >= MAX_LIVE_DEPLOYMENTS
    if is_crowded or occupancy.new >= NEW_DEPLOYMENTS_PER_HOUR:
        return Seat.UNRECORDED
    return Seat.TAKEN
