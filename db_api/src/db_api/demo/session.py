"""What one demonstration consists of: its credentials, and what it tells about itself."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from db_api.api_keys import KeyType, generate_key
from db_api.clock import utc_now
from db_api.control.audit import Actor
from db_api.control.database import open_control
from db_api.control.keys import KeyStore, NewKey
from db_api.control.migrations import migrate
from db_api.demo.airports import SCHEMA, load_airports
from db_api.passwords import generate_password

USER: Final = "demo"
_KEY_NAMES: Final = {KeyType.ANON: "demo anon", KeyType.SERVICE_ROLE: "demo service"}
_POLL_SECONDS: Final = 0.05
_TRY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Session:
    """A demonstration that is about to be served.

    Attributes:
        url: where it will answer.
        database_url: of the embedded PostgreSQL.
    """

    url: str
    database_url: str = field(repr=False)
    password: str = field(repr=False)
    anon_key: str = field(repr=False)
    service_key: str = field(repr=False)

    def as_json(self) -> str:
        """Write one line for programs."""
        return json.dumps(
            {
                "url": self.url,
                "user": USER,
                "password": self.password,
                "anonKey": self.anon_key,
                "serviceKey": self.service_key,
                "databaseUrl": self.database_url,
            }
        )

    def as_text(self) -> str:
        """Write what a person needs, with three things to try."""
        return f"""
The data API answers at {self.url}

  Basic             {USER} / {self.password}
  anon key          {self.anon_key}
  service_role key  {self.service_key}
  PostgreSQL        {self.database_url}

Try:
  curl -H 'apikey: {self.anon_key}' '{self.url}/rest/v1/airports?icao=eq.EDDF'
  curl -H 'apikey: {self.service_key}' -H 'Content-Type: application/json' \\
       -d '{{"code": "XX", "name": "Nowhere"}}' '{self.url}/rest/v1/countries'
  curl -u '{USER}:{self.password}' '{self.url}/api/tables?schema={SCHEMA}'

Ctrl-C stops everything.
"""


async def prepare(database_url: str, url: str) -> Session:
    """Load the data, make the tables of the service and new keys."""
    await load_airports(database_url)
    await migrate(database_url)
    engine = open_control(database_url)
    try:
        store = KeyStore(engine)
        await _revoke_old_keys(store)
        secrets = {key_type: await _make_key(store, key_type) for key_type in KeyType}
    finally:
        await engine.dispose()
    return Session(
        url=url,
        database_url=database_url,
        password=generate_password(),
        anon_key=secrets[KeyType.ANON],
        service_key=secrets[KeyType.SERVICE_ROLE],
    )


async def _revoke_old_keys(store: KeyStore) -> None:
    """A folder that is used again holds the keys of the last time, which nobody knows any more."""
    for key in await store.list(SCHEMA):
        if key.name in _KEY_NAMES.values():
            await store.revoke(SCHEMA, key.id, _actor())


async def _make_key(store: KeyStore, key_type: KeyType) -> str:
    secret = generate_key()
    await store.create(secret, NewKey(_KEY_NAMES[key_type], key_type, SCHEMA), _actor())
    return secret


def _actor() -> Actor:
    return Actor("demo", "", utc_now())


async def until_ready(session: Session) -> None:
    """Return once an airport comes out of the service: its own anon key works nowhere else."""
    while True:
        if await asyncio.to_thread(_answers, session):
            return
        await asyncio.sleep(_POLL_SECONDS)


def _answers(session: Session) -> bool:
    headers = {"apikey": session.anon_key}
    request = Request(f"{session.url}/rest/v1/airports?limit=1", headers=headers)  # noqa: S310 - our own loopback URL
    try:
        with urlopen(request, timeout=_TRY_SECONDS) as answer:  # noqa: S310 - the same
            return bool(json.load(answer))
    except (URLError, OSError, ValueError):
        return False
