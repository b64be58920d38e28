"""`db-api keys`: API keys, straight in the database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import click

from db_api.api_keys import MAX_OVERLAP_SECONDS, ApiKey, KeyType, generate_key, is_key_name
from db_api.cli.environment import database_url
from db_api.cli.exits import reported
from db_api.cli.schema_names import schema_option
from db_api.clock import utc_now
from db_api.control.audit import Actor
from db_api.control.database import open_control
from db_api.control.keys import KeyStore, NewKey
from db_api.schemas import SchemaStore

T = TypeVar("T")
_KEY_TYPES = click.Choice([key_type.value for key_type in KeyType])


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


_EXAMPLES = """\b
Examples:
  db-api keys create --schema shop --name website --type anon
  db-api keys list --schema shop --json
  db-api keys rotate --schema shop 0f8b6c1e-4a55-4b0e-9d0e-3a5a6f1c2b7d --overlap-seconds 3600
  db-api keys revoke --schema shop 0f8b6c1e-4a55-4b0e-9d0e-3a5a6f1c2b7d"""


@click.group(epilog=_EXAMPLES)
def keys() -> None:
    """Create, list, rotate and revoke API keys in DATABASE_URL."""


@keys.command(epilog=_EXAMPLES)
@schema_option
@click.option("--name", required=True, help="What the key is called, 1 to 64 characters.")
@click.option("--type", "key_type", required=True, type=_KEY_TYPES)
@click.option(
    "--expires-at", type=click.DateTime(), help="When it ends, in UTC; never if left out."
)
@_json
def create(
    *, schema: str, name: str, key_type: str, expires_at: datetime | None, as_json: bool
) -> None:
    """Create a key and show it, this once."""
    if not is_key_name(name):
        raise click.BadParameter("1 to 64 printable characters", param_hint="--name")
    expires = expires_at.replace(tzinfo=UTC) if expires_at else None
    new = NewKey(name, KeyType(key_type), schema, expires)
    secret = generate_key()

    async def run(store: KeyStore, schemas: SchemaStore) -> ApiKey:
        await schemas.require(schema)
        return await store.create(secret, new, _actor())

    key = _in_database(run)
    if as_json:
        click.echo(json.dumps({**_shown(key), "key": secret}))
        return
    click.echo(secret)
    click.echo(f"This is shown once. Key {key.id} for schema {schema}, {key.type}.", err=True)


@keys.command("list", epilog=_EXAMPLES)
@schema_option
@_json
def list_(*, schema: str, as_json: bool) -> None:
    """List the keys of a schema, newest first; their secrets are not kept."""
    found = _in_database(lambda store, _: store.list(schema))
    if as_json:
        click.echo(json.dumps([_shown(key) for key in found]))
        return
    for key in found:
        click.echo(f"{key.id}  {key.prefix}…  {key.type:<12}  {_state(key):<8}  {key.name}")


@keys.command(epilog=_EXAMPLES)
@schema_option
@click.argument("key_id", type=click.UUID)
@click.option(
    "--overlap-seconds",
    type=click.IntRange(0, MAX_OVERLAP_SECONDS),
    default=0,
    help="How long the old key still lives; it is revoked if left out.",
)
@_json
def rotate(*, schema: str, key_id: UUID, overlap_seconds: int, as_json: bool) -> None:
    """Make a key that takes the place of another one, and show it, this once."""
    secret, overlap = generate_key(), timedelta(seconds=overlap_seconds)
    key = _in_database(lambda store, _: store.rotate(schema, key_id, secret, overlap, _actor()))
    if as_json:
        click.echo(json.dumps({**_shown(key), "key": secret}))
        return
    click.echo(secret)
    click.echo(f"This is shown once. Key {key.id} takes the place of {key_id}.", err=True)


@keys.command(epilog=_EXAMPLES)
@schema_option
@click.argument("key_id", type=click.UUID)
@_json
def revoke(*, schema: str, key_id: UUID, as_json: bool) -> None:
    """Revoke a key for good; every process refuses it within 5 seconds."""
    key = _in_database(lambda store, _: store.revoke(schema, key_id, _actor()))
    click.echo(json.dumps(_shown(key)) if as_json else f"Key {key.id} is revoked.")


def _actor() -> Actor:
    return Actor("cli", "", utc_now())


def _in_database(run: Callable[[KeyStore, SchemaStore], Awaitable[T]]) -> T:
    async def in_loop() -> T:
        engine = open_control(database_url())
        try:
            return await run(KeyStore(engine), SchemaStore(engine))
        finally:
            await engine.dispose()

    with reported():
        return asyncio.run(in_loop())


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "live" if key.is_live(utc_now()) else "expired"


def _shown(key: ApiKey) -> dict[str, str | None]:
    return {
        "id": str(key.id),
        "keyPrefix": key.prefix,
        "keyName": key.name,
        "keyType": key.type,
        "schemaName": key.schema,
        "createdAt": key.created_at.isoformat(),
        "expiresAt": key.expires_at.isoformat() if key.expires_at else None,
        "lastUsedAt": key.last_used_at.isoformat() if key.last_used_at else None,
        "state": _state(key),
    }
