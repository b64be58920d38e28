"""The tables of the schema `db_api`, as `migrations/data_api` makes them."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    and_,
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
    Column("last_used_at", DateTime(timezone=True)),
    Column("replaced_by", Uuid),
    CheckConstraint("type IN ('anon', 'service_role')", name="keys_type_check"),
    CheckConstraint("octet_length(digest) = 32", name="keys_digest_check"),
)
LIVE_KEY_NAME: Final = Index(
    "keys_live_name_key",
    KEYS.c.schema_name,
    KEYS.c.name,
    unique=True,
    postgresql_where=and_(KEYS.c.revoked_at.is_(None), KEYS.c.replaced_by.is_(None)),
)

LOGINS: Final = Table(
    "logins",
    METADATA,
    Column("schema_name", String(63), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("role_name", String(63), nullable=False),
    Column("sealed_password", LargeBinary),
    Column("is_provisioned", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("kind IN ('anon', 'service_role')", name="logins_kind_check"),
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
