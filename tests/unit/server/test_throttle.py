from contextlib import suppress

import pytest
import structlog

from license_server.errors import RateLimited
from license_server.ports import EMAIL_MISMATCHES
from license_server.throttle import REQUESTS, BoundedMemory, source_of
from support.licensing import a_limiter

pytestmark = pytest.mark.anyio


class Limits:
    """A limiter with a clock that tests turn."""

    def __init__(self, per_minute: int = 2, max_counters: int = 100) -> None:
        self.seconds = 1_000.0
        self.limiter = a_limiter(BoundedMemory(self._now, max_counters), per_minute)

    def _now(self) -> float:
        return self.seconds


async def test_what_is_over_the_limit_is_refused_until_the_window_ends() -> None:
    limits = Limits()
    await limits.limiter.hit(REQUESTS, "a")
    limits.seconds += 10
    await limits.limiter.hit(REQUESTS, "a")

    with pytest.raises(RateLimited) as refused:
        await limits.limiter.hit(REQUESTS, "a")

    assert refused.value.retry_after_seconds == 50
    limits.seconds += 50
    await limits.limiter.hit(REQUESTS, "a")


async def test_subjects_and_rules_are_counted_apart() -> None:
    limits = Limits(per_minute=1)

    await limits.limiter.hit(REQUESTS, "a")
    await limits.limiter.hit(REQUESTS, "b")
    await limits.limiter.hit(EMAIL_MISMATCHES, "a")


async def test_an_event_may_count_as_many() -> None:
    limits = Limits(per_minute=10)

    await limits.limiter.hit(REQUESTS, "a", cost=10)

    with pytest.raises(RateLimited):
        await limits.limiter.hit(REQUESTS, "a")


async def test_asking_counts_nothing() -> None:
    limits = Limits(per_minute=1)

    for _ in range(3):
        await limits.limiter.hit(REQUESTS, "a", cost=0)
    await limits.limiter.hit(REQUESTS, "a")

    with pytest.raises(RateLimited):
        await limits.limiter.hit(REQUESTS, "a", cost=0)


async def test_asking_begins_no_window() -> None:
    limits = Limits(per_minute=1)
    await limits.limiter.hit(REQUESTS, "a", cost=0)
    limits.seconds += 50
    await limits.limiter.hit(REQUESTS, "a")

    with pytest.raises(RateLimited) as refused:
        await limits.limiter.hit(REQUESTS, "a")

    assert refused.value.retry_after_seconds == 60


async def test_ten_wrong_emails_an_hour_are_allowed_for_a_key() -> None:
    limits = Limits()

    for _ in range(10):
        await limits.limiter.hit(EMAIL_MISMATCHES, "key")

    with pytest.raises(RateLimited) as refused:
        await limits.limiter.hit(EMAIL_MISMATCHES, "key")
    assert refused.value.retry_after_seconds == 3_600


async def test_memory_is_bounded_by_forgetting_the_oldest_counter() -> None:
    limits = Limits(per_minute=1, max_counters=3)

    for source in "abcd":
        await limits.limiter.hit(REQUESTS, source)

    await limits.limiter.hit(REQUESTS, "a")
    with pytest.raises(RateLimited):
        await limits.limiter.hit(REQUESTS, "d")


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::", "2001:db8::/64"),
        ("", ""),
    ],
)
async def test_an_ipv6_address_counts_as_its_site(address: str, source: str) -> None:
    assert source_of(address) == source


async def test_a_flood_leaves_one_line_a_window_and_no_subject() -> None:
    limits = Limits(per_minute=1)

    with structlog.testing.capture_logs() as lines:
        for _ in range(10):
            with suppress(RateLimited):
                await limits.limiter.hit(REQUESTS, "192.0.2.1")

    assert lines == [{"event": "ratelimit.hit", "rule": REQUESTS, "log_level": "warning"}]
