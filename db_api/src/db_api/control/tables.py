"""The tables of the schema `db_api`, as `migrations/data_api` makes them."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA: Final = "db_api"

METADATA: Final = MetaData(schema=SCHEMA)

KEYS: Final = Table(
    "keys",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("prefix", String(8), nullable=False),
    Column("name", String(64), nullable=False),
    Column("type", String(16), nullable=False),
    Column("schema_name", String(63), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("type IN ('anon', 'service_role')", name="keys_type_check"),
    CheckConstraint("octet_length(digest) = 32", name="keys_digest_check"),
)
LIVE_KEY_NAME: Final = Index(
    "keys_live_name_key",
    KEYS.c.schema_name,
    KEYS.c.name,
    unique=True,
    postgresql_where=KEYS.c.revoked_at.is_(None),
)

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("request_id", Text, nullable=False),
)
