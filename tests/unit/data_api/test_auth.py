import asyncio
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from db_api.admin_login import AdminLogin
from db_api.api_keys import ApiKey, KeyType, digest_of, generate_key, prefix_of
from db_api.auth import Administrator, Authenticator, Limits
from db_api.callers import Caller
from db_api.errors import (
    CredentialInvalidError,
    NotReadyError,
    TooManyFailedLoginsError,
    TooManyRequestsError,
)
from db_api.key_directory import KeyDirectory
from db_api.passwords import hash_password
from db_api.rates import Rate, TokenBuckets

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
HASH = hash_password(PASSWORD)
HOME = "192.0.2.1"
ELSEWHERE = "192.0.2.2"

pytestmark = pytest.mark.anyio


@dataclass
class Clock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Keys:
    """The table of keys; it counts the questions."""

    by_digest: dict[bytes, ApiKey] = field(default_factory=dict)
    asked: int = 0
    is_down: bool = False

    def issue(self, **changes: object) -> str:
        secret = generate_key()
        key = ApiKey(
            id=uuid4(),
            digest=digest_of(secret),
            prefix=prefix_of(secret),
            name="website",
            type=KeyType.ANON,
            schema="shop",
            created_at=NOW,
            expires_at=None,
            revoked_at=None,
        )
        self.by_digest[key.digest] = replace(key, **changes)  # type: ignore[arg-type]  # a test's fields
        return secret

    def revoke(self, secret: str) -> None:
        digest = digest_of(secret)
        self.by_digest[digest] = replace(self.by_digest[digest], revoked_at=NOW)

    async def find(self, digest: bytes) -> ApiKey | None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_down:
            raise NotReadyError("The database does not answer.")
        return self.by_digest.get(digest)


@dataclass
class World:
    clock: Clock = field(default_factory=Clock)
    keys: Keys = field(default_factory=Keys)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.authenticator = Authenticator(
            AdminLogin("admin", HASH, self.clock),
            KeyDirectory(self.keys.find, self.clock, lambda _: None),
            Limits(
                failures=TokenBuckets(Rate(10 / 60, 10), self.clock),
                requests=TokenBuckets(Rate(20, 40), self.clock),
            ),
            lambda: self.now,
        )

    async def with_key(self, secret: str, address: str = HOME) -> Administrator | Caller:
        return await self.authenticator.identify([(b"apikey", secret.encode())], address)

    async def with_login(
        self, password: str, user: str = "admin", address: str = HOME
    ) -> Administrator | Caller:
        encoded = b64encode(f"{user}:{password}".encode())
        headers = [(b"authorization", b"Basic " + encoded)]
        return await self.authenticator.identify(headers, address)


@pytest.fixture
def world() -> World:
    return World()


async def test_an_unknown_key_is_refused(world: World) -> None:
    with pytest.raises(CredentialInvalidError):
        await world.with_key(generate_key())


async def test_a_revoked_key_is_refused(world: World) -> None:
    secret = world.keys.issue(revoked_at=NOW)

    with pytest.raises(CredentialInvalidError):
        await world.with_key(secret)


async def test_a_revocation_holds_within_five_seconds_in_a_process_that_knows_the_key(
    world: World,
) -> None:
    secret = world.keys.issue()
    await world.with_key(secret)
    world.keys.revoke(secret)

    world.clock.seconds += 5
    with pytest.raises(CredentialInvalidError):
        await world.with_key(secret)


async def test_a_key_ends_at_its_expiry_even_from_memory(world: World) -> None:
    secret = world.keys.issue(expires_at=NOW + timedelta(seconds=1))
    await world.with_key(secret)

    world.now = NOW + timedelta(seconds=1)
    with pytest.raises(CredentialInvalidError):
        await world.with_key(secret)


async def test_a_key_is_not_believed_from_old_memory_while_the_database_is_down(
    world: World,
) -> None:
    secret = world.keys.issue()
    await world.with_key(secret)
    world.keys.is_down = True
    world.clock.seconds += 5

    with pytest.raises(NotReadyError):
        await world.with_key(secret)

    world.keys.is_down = False
    assert await world.with_key(secret) == Caller("shop", "anon", secret[:8])


async def test_a_key_speaks_for_its_schema_and_type(world: World) -> None:
    secret = world.keys.issue(schema="warehouse", type=KeyType.SERVICE_ROLE)

    assert await world.with_key(secret) == Caller("warehouse", "service_role", secret[:8])


async def test_the_database_is_asked_once_for_many_requests_at_once(world: World) -> None:
    secret = world.keys.issue()

    await asyncio.gather(*(world.with_key(secret) for _ in range(30)))

    assert world.keys.asked == 1


async def test_a_key_over_its_rate_is_refused_until_a_token_comes_back(world: World) -> None:
    secret = world.keys.issue()
    for _ in range(40):
        await world.with_key(secret)

    with pytest.raises(TooManyRequestsError) as refused:
        await world.with_key(secret)

    assert refused.value.retry_after_seconds == 1
    world.clock.seconds += 1
    await world.with_key(secret)


async def test_one_key_over_its_rate_leaves_another_alone(world: World) -> None:
    busy, quiet = world.keys.issue(), world.keys.issue()
    for _ in range(40):
        await world.with_key(busy)

    await world.with_key(quiet)


async def test_guessing_keys_stops_before_the_database_after_ten_failures(world: World) -> None:
    for _ in range(10):
        with pytest.raises(CredentialInvalidError):
            await world.with_key(generate_key())

    with pytest.raises(TooManyFailedLoginsError):
        await world.with_key(generate_key())

    assert world.keys.asked == 10


async def test_a_burst_of_guesses_does_not_outrun_the_count_of_failures(world: World) -> None:
    guesses = [world.with_key(generate_key()) for _ in range(100)]
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)

    assert world.keys.asked == 10
    assert sum(isinstance(found, TooManyFailedLoginsError) for found in outcomes) == 90


async def test_a_burst_of_one_new_good_key_is_not_a_burst_of_guesses(world: World) -> None:
    secret = world.keys.issue()
    await asyncio.gather(*[world.with_key(secret) for _ in range(30)])

    await asyncio.gather(*[world.with_key(world.keys.issue()) for _ in range(10)])


async def test_a_database_that_is_down_is_not_a_failed_login(world: World) -> None:
    world.keys.is_down = True
    for _ in range(20):
        with pytest.raises(NotReadyError):
            await world.with_key(generate_key())


async def test_a_good_key_goes_on_from_an_address_that_guesses(world: World) -> None:
    secret = world.keys.issue()
    await world.with_key(secret)
    for _ in range(10):
        with pytest.raises(CredentialInvalidError):
            await world.with_key(generate_key())

    world.clock.seconds += 5
    await world.with_key(secret)


async def test_guessing_from_one_address_does_not_lock_another_out(world: World) -> None:
    for _ in range(10):
        with pytest.raises(CredentialInvalidError):
            await world.with_key(generate_key(), ELSEWHERE)

    await world.with_login(PASSWORD)


@pytest.mark.parametrize(
    ("user", "password"),
    [("admin", "wrong"), ("admin", ""), ("root", PASSWORD), ("admin", "x" * 2000)],
)
async def test_a_wrong_login_is_refused(world: World, user: str, password: str) -> None:
    with pytest.raises(CredentialInvalidError):
        await world.with_login(password, user)


async def test_a_wrong_login_is_refused_after_a_right_one(world: World) -> None:
    await world.with_login(PASSWORD)

    with pytest.raises(CredentialInvalidError):
        await world.with_login(PASSWORD, "root")


async def test_a_right_login_names_the_administrator(world: World) -> None:
    assert await world.with_login(PASSWORD) == Administrator("admin")


async def test_a_burst_of_right_logins_is_not_a_burst_of_failures(world: World) -> None:
    logins = await asyncio.gather(*(world.with_login(PASSWORD) for _ in range(50)))

    assert logins == [Administrator("admin")] * 50


async def test_parallel_wrong_logins_are_cut_off_near_the_tenth(world: World) -> None:
    outcomes = await asyncio.gather(
        *(world.with_login(f"wrong {number}") for number in range(50)), return_exceptions=True
    )

    hashed = [type(outcome) for outcome in outcomes].count(CredentialInvalidError)
    assert hashed in (10, 11)  # two hash at once, so one may have begun before the tenth ended
    assert [type(outcome) for outcome in outcomes].count(TooManyFailedLoginsError) == 50 - hashed


async def test_a_remembered_login_passes_while_its_address_is_locked_out(world: World) -> None:
    await world.with_login(PASSWORD)
    for _ in range(10):
        with pytest.raises(CredentialInvalidError):
            await world.with_key(generate_key())

    assert await world.with_login(PASSWORD) == Administrator("admin")


async def test_a_login_is_forgotten_after_five_minutes(world: World) -> None:
    await world.with_login(PASSWORD)
    for _ in range(10):
        with pytest.raises(CredentialInvalidError):
            await world.with_key(generate_key())
    world.clock.seconds += 300

    await world.with_login(PASSWORD)  # by now a token came back, so it may be hashed again
