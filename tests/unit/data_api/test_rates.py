from dataclasses import dataclass

from db_api.rates import Rate, TokenBuckets


@dataclass
class Clock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_what_is_over_the_burst_waits_for_whole_seconds() -> None:
    buckets = TokenBuckets(Rate(per_second=0.5, burst=2), Clock())

    assert [buckets.take("a") for _ in range(3)] == [0, 0, 2]


def test_tokens_come_back_with_time_and_never_above_the_burst() -> None:
    clock = Clock()
    buckets = TokenBuckets(Rate(per_second=1, burst=2), clock)
    for _ in range(2):
        buckets.take("a")

    clock.seconds += 1
    assert [buckets.take("a") for _ in range(2)] == [0, 1]

    clock.seconds += 100
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]


def test_names_do_not_share_a_bucket() -> None:
    buckets = TokenBuckets(Rate(per_second=1, burst=1), Clock())
    buckets.take("a")

    assert buckets.take("b") == 0


def test_asking_how_long_to_wait_takes_nothing() -> None:
    buckets = TokenBuckets(Rate(per_second=1, burst=1), Clock())

    assert [buckets.wait_seconds("a") for _ in range(3)] == [0, 0, 0]
    buckets.take("a")
    assert buckets.wait_seconds("a") == 1


def test_a_flood_of_names_forgets_the_longest_unused_and_keeps_memory_bounded() -> None:
    buckets = TokenBuckets(Rate(per_second=1, burst=1), Clock())
    buckets.take("first")
    for number in range(65_536):
        buckets.take(number)

    assert buckets.take("first") == 0
    assert buckets.take(65_535) == 1
