from datetime import timedelta

import pytest

from license_server.errors import RateLimited
from license_server.evaluation import Seat
from license_server.seats import Occupancy, allot_seat
from support.licensing import NOW


def occupied(live: int, new: int = 0, *, is_registered: bool = False) -> Occupancy:
    return Occupancy(live, new, NOW - timedelta(minutes=50) if new else None, is_registered)


@pytest.mark.parametrize(
    ("occupancy", "limit", "seat"),
    [
        (occupied(0), None, Seat.TAKEN),
        (occupied(9_999), None, Seat.TAKEN),
        (occupied(10_000), None, Seat.UNRECORDED),
        (occupied(60, new=59), None, Seat.TAKEN),
        (occupied(60, new=60), None, Seat.UNRECORDED),
        (occupied(4), 5, Seat.TAKEN),
        (occupied(5), 5, Seat.FULL),
        (occupied(60, new=60), 60, Seat.FULL),
    ],
)
def test_a_seat_is_given_by_limit_and_memory(
    occupancy: Occupancy, limit: int | None, seat: Seat
) -> None:
    assert allot_seat(occupancy, limit, NOW) is seat


@pytest.mark.parametrize("limit", [None, 1, 100])
def test_a_registered_deployment_keeps_its_seat_whatever_the_limit(limit: int | None) -> None:
    crowd = occupied(10_000, new=60, is_registered=True)
    assert allot_seat(crowd, limit, NOW) is Seat.TAKEN


def test_a_limited_license_gets_at_most_60_new_deployments_an_hour() -> None:
    with pytest.raises(RateLimited) as refusal:
        allot_seat(occupied(60, new=60), 100, NOW)
    assert refusal.value.retry_after_seconds == 600
