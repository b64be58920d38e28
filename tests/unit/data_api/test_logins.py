import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import pytest

from db_api.api_keys import KeyType
from db_api.control.logins import StoredLogin
from db_api.errors import LoginUnreadableError, NotReadyError
from db_api.logins import Logins, LoginVault, url_of_login
from db_api.sealing import RootKeys

URL = "postgresql://api:pa55@db.example:5432/shop?sslmode=require"
ROOT = RootKeys.parse("5c" * 32)
PASSWORD = "p:a@s/s%?&wörd"

pytestmark = pytest.mark.anyio


def login_of(vault: LoginVault, schema: str = "shop", password: str | None = None) -> StoredLogin:
    kind, role = KeyType.SERVICE_ROLE, f"{schema}_service"
    sealed = vault.seal(schema, kind, role, password) if password else None
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return StoredLogin(
        schema, kind, role, sealed_password=sealed, is_provisioned=True, created_at=now
    )


@dataclass
class World:
    """The table of logins; it counts the questions."""

    vault: LoginVault = field(default_factory=lambda: LoginVault(URL, ROOT))
    stored: tuple[StoredLogin, ...] = ()
    seconds: float = 100.0
    asked: int = 0
    is_down: bool = False

    def __post_init__(self) -> None:
        self.logins = Logins(self.read, self.vault, lambda: self.seconds)

    async def read(self, schema: str) -> tuple[StoredLogin, ...]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_down:
            raise NotReadyError("The database does not answer.")
        return tuple(login for login in self.stored if login.schema == schema)


@pytest.mark.parametrize(
    "keys", [None, RootKeys.parse("a7" * 32)], ids=["no root secret", "another root secret"]
)
async def test_nobody_stands_in_for_a_login_that_does_not_open(keys: RootKeys | None) -> None:
    stored = login_of(LoginVault(URL, ROOT), password=PASSWORD)
    world = World(LoginVault(URL, keys), (stored,))

    with pytest.raises(LoginUnreadableError) as refused:
        await world.logins.find("shop", "service_role")

    assert "LICENSE_ENCRYPTION_KEY" in f"{refused.value.message}{refused.value.hint}"


async def test_a_sealed_password_moved_to_another_row_does_not_open() -> None:
    world = World()
    stored = login_of(world.vault, password=PASSWORD)
    world.stored = (replace(stored, schema="warehouse"),)

    with pytest.raises(LoginUnreadableError):
        await world.logins.find("warehouse", "service_role")


async def test_a_login_is_not_believed_from_old_memory_while_the_database_is_down() -> None:
    world = World()
    world.stored = (login_of(world.vault),)
    await world.logins.find("shop", "service_role")
    world.is_down = True
    world.seconds += 4

    with pytest.raises(NotReadyError):
        await world.logins.find("shop", "service_role")


async def test_a_kind_without_a_login_of_its_own_has_none() -> None:
    world = World()
    world.stored = (login_of(world.vault),)

    assert await world.logins.find("shop", "anon") is None
    assert await world.logins.find("shop", "admin") is None
    assert await world.logins.find("elsewhere", "service_role") is None


async def test_a_change_is_seen_within_five_seconds_and_at_once_where_it_was_made() -> None:
    world = World()
    assert await world.logins.find("shop", "service_role") is None
    world.stored = (login_of(world.vault),)

    world.logins.forget("shop")
    assert await world.logins.find("shop", "service_role") is not None
    world.stored = ()
    world.seconds += 4
    assert await world.logins.find("shop", "service_role") is None


async def test_the_database_is_asked_once_for_many_requests_at_once() -> None:
    world = World()
    world.stored = (login_of(world.vault, password=PASSWORD),)

    found = await asyncio.gather(
        *(world.logins.find("shop", "service_role") for _ in range(30)),
        world.logins.find("shop", "anon"),
    )

    assert world.asked == 1
    assert found[0] is not None
    assert PASSWORD not in repr(found[0])


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "postgresql:///shop?host=%2Frun%2Fpg&user=api&password=pa55",
        "postgresql://db.example/shop?passfile=x",
        "postgresql://api@[::1]:5432,db2:5433/shop",
    ],
)
def test_the_url_of_a_login_is_the_same_database_under_another_name(url: str) -> None:
    made = url_of_login(url, "röle@1", PASSWORD)
    parts, old = urlsplit(made), urlsplit(url)

    login, _, hosts = parts.netloc.rpartition("@")
    assert [unquote(part) for part in login.split(":")] == ["röle@1", PASSWORD]
    assert hosts == old.netloc.rpartition("@")[2]
    assert parts.path == old.path
    for other in ("pa55", "api", "passfile"):
        assert other not in made
    assert ("sslmode=require" in made, "%2Frun%2Fpg" in made) == (
        "sslmode" in url,
        "%2Frun" in url,
    )


def test_a_role_without_a_password_gets_none_of_the_other_login() -> None:
    assert url_of_login(URL, "app", None).startswith("postgresql://app@db.example:5432/shop?")
