"""The tables. Instants are whole Unix seconds, spans whole seconds, lists and objects JSON text.

`migrations/server` makes them; a test holds the two together.
"""

from typing import Final

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
    func,
    text,
)

from license_server.licenses import TRIAL_STARTS_WITHIN

NEVER: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last instant that there is

WAITING: Final = int(TRIAL_STARTS_WITHIN.total_seconds())
"""So long a trial may wait for its first use, in seconds; an index holds the number."""

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
    Column("expiring_notices", Text, nullable=False, server_default="[]"),
    Column("deployment_limit", Integer),
    Column("entitlements", Text, nullable=False),
    Column("limits", Text, nullable=False),
    Column("minimum_client_version", String(40)),
    Column("recommended_client_version", String(40)),
    Column("created_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
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
    Column("erased_at", BigInteger),
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
    Column("entitlements", Text, nullable=False, server_default="[]"),
    Column("metadata", Text, nullable=False, server_default="{}"),
    Column("notes_sealed", LargeBinary),
    Column("version", Integer, nullable=False, server_default="1"),
    Index("ix_licenses_issued_at", "issued_at", "id"),
    Index("ix_licenses_product_issued_at", "product", "issued_at", "id"),
    Index(
        "ix_licenses_not_active",
        "issued_at",
        "id",
        sqlite_where=text("standing <> 'active'"),
        postgresql_where=text("standing <> 'active'"),
    ),
    Index(
        "ix_licenses_trials",
        "issued_at",
        "id",
        sqlite_where=text("kind = 'trial'"),
        postgresql_where=text("kind = 'trial'"),
    ),
)

END: Final = func.coalesce(licenses.c.expires_at, text(str(NEVER)))
"""The end of a license, to compare and to list by: those without one end last of all."""

STOP: Final = (
    func.coalesce(
        licenses.c.expires_at,
        licenses.c.issued_at + text(str(WAITING)) + licenses.c.trial_seconds,
        text(str(NEVER)),
    )
    + licenses.c.renewal_grace_seconds
)
"""When an active license expires: after its grace, and a trial that nobody starts after a while."""

Index("ix_licenses_end", END, licenses.c.id)
Index("ix_licenses_stop", STOP, licenses.c.id)

trial_claims = Table(
    "trial_claims",
    metadata,
    Column("product", String(64), ForeignKey("products.code"), primary_key=True),
    Column("email_index", LargeBinary, primary_key=True),
    Column("pepper_id", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
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
    Index("ix_license_keys_hint", "hint"),
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
    Column("archived_at", BigInteger),
    Index("ix_deployments_last_seen_at", "last_seen_at"),
)

admin_tokens = Table(
    "admin_tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("prefix", String(16), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("id", String(40), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
)

operators = Table(
    "operators",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("totp_sealed", LargeBinary, nullable=False),
    Column("totp_step", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("password_changed_at", BigInteger),
    Column("signed_in_at", BigInteger),
    Column("disabled_at", BigInteger),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("subject", String(40), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False, index=True),
    Column("seen_at", BigInteger, nullable=False),
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
    Index("ix_audit_log_subject", "subject", "seq"),
)

server_state = Table(
    "server_state",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", "one_row"), primary_key=True),
    Column("newest_at", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("dedupe_key", String(200), unique=True),
    Column("subject", String(40), index=True),
    Column("payload_sealed", LargeBinary),
    Column(
        "state",
        String(16),
        CheckConstraint("state IN ('pending', 'done', 'failed')", "state"),
        nullable=False,
    ),
    Column("attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("claimed_until", BigInteger),
    Column("finished_at", BigInteger),
    Column("error", String(200)),
    Index("ix_outbox_state_due_at", "state", "due_at"),
    Index("ix_outbox_created_at", "created_at", "id"),
)

schedules = Table(
    "schedules",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("due_at", BigInteger, nullable=False),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("url", String(2048), nullable=False),
    Column("events", Text, nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("previous_secret_sealed", LargeBinary),
    Column("previous_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("disabled_reason", String(200)),
    Column("version", Integer, nullable=False, server_default="1"),
)

recovery_links = Table(
    "recovery_links",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("owner_id", String(40), ForeignKey("owners.id"), nullable=False, index=True),
    Column("product", String(64), ForeignKey("products.code")),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("actor", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("answer_sealed", LargeBinary),
    Column("created_at", BigInteger, nullable=False, index=True),
)

payment_events = Table(
    "payment_events",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("event_id", String(255), primary_key=True),
    Column("type", String(100), nullable=False),
    Column("received_at", BigInteger, nullable=False),
)

payment_items = Table(
    "payment_items",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("item_id", String(255), primary_key=True),
    Column("license_id", String(40), ForeignKey("licenses.id"), nullable=False, index=True),
    Column("order_ref", String(255), nullable=False),
    Column("subscription_ref", String(255)),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_payment_items_order_ref", "provider", "order_ref"),
    Index("ix_payment_items_subscription_ref", "provider", "subscription_ref"),
)

payment_references = Table(
    "payment_references",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("payment_ref", String(255), primary_key=True),
    Column("order_ref", String(255), nullable=False),
)

rate_counters = Table(
    "rate_counters",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
)
