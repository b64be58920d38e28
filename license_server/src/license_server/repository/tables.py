"""The tables. Instants are whole Unix seconds, spans whole seconds, lists and objects JSON text.

`migrations/server` makes them; a test holds the two together.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

products = Table(
    "products",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("key_prefix", String(10), nullable=False),
    Column("validity_seconds", BigInteger),
    Column("trial_seconds", BigInteger, nullable=False),
    Column("renewal_grace_seconds", BigInteger, nullable=False),
    Column("refresh_seconds", BigInteger, nullable=False),
    Column("lease_seconds", BigInteger, nullable=False),
    Column("offline_grace_seconds", BigInteger, nullable=False),
    Column("expiring_notice_seconds", BigInteger, nullable=False),
    Column("deployment_limit", Integer),
    Column("entitlements", Text, nullable=False),
    Column("limits", Text, nullable=False),
    Column("minimum_client_version", String(40)),
    Column("recommended_client_version", String(40)),
    Column("created_at", BigInteger, nullable=False),
)

owners = Table(
    "owners",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("email_index", LargeBinary, nullable=False, unique=True),
    Column("domain_index", LargeBinary, nullable=False, index=True),
    Column("email_sealed", LargeBinary, nullable=False),
    Column("pepper_id", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

licenses = Table(
    "licenses",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("product", String(64), ForeignKey("products.code"), nullable=False),
    Column("owner_id", String(40), ForeignKey("owners.id"), nullable=False, index=True),
    Column("kind", String(8), CheckConstraint("kind IN ('paid', 'trial')", "kind"), nullable=False),
    Column(
        "standing",
        String(16),
        CheckConstraint("standing IN ('active', 'suspended', 'revoked')", "standing"),
        nullable=False,
    ),
    Column("issued_at", BigInteger, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("trial_seconds", BigInteger),
    Column("renewal_grace_seconds", BigInteger, nullable=False),
    Index("ix_licenses_product_issued_at", "product", "issued_at", "id"),
)

Index(
    "uq_licenses_one_trial",
    licenses.c.owner_id,
    licenses.c.product,
    unique=True,
    sqlite_where=text("kind = 'trial'"),
    postgresql_where=text("kind = 'trial'"),
)

license_keys = Table(
    "license_keys",
    metadata,
    Column("mac", LargeBinary, primary_key=True),
    Column("pepper_id", String(16), nullable=False),
    Column("hint", String(4), nullable=False),
    Column("license_id", String(40), ForeignKey("licenses.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("superseded_until", BigInteger),
)

deployments = Table(
    "deployments",
    metadata,
    Column("license_id", String(40), ForeignKey("licenses.id"), primary_key=True),
    Column("instance_id", String(64), primary_key=True),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("client_name", String(64), nullable=False),
    Column("client_version", String(32), nullable=False),
    Column("app_version", String(32)),
    Column("name", String(64)),
    Column("blocked_at", BigInteger),
)

admin_tokens = Table(
    "admin_tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("prefix", String(16), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("ts", BigInteger, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("request_id", String(64)),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

server_state = Table(
    "server_state",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", "one_row"), primary_key=True),
    Column("newest_at", BigInteger, nullable=False),
)
