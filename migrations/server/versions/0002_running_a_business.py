"""Add what a vendor's business needs: lifecycle, outbox, webhooks, payments, recovery."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NEW_TABLES = (
    "rate_counters",
    "payment_items",
    "payment_events",
    "idempotency_keys",
    "recovery_links",
    "webhook_endpoints",
    "schedules",
    "outbox",
    "trial_claims",
)


def upgrade() -> None:
    _extend_products()
    _extend_owners_and_licenses()
    _extend_keys_and_deployments()
    _extend_admin_tokens()
    _claim_trials()
    _create_outbox()
    _create_webhook_endpoints()
    _create_recovery_links()
    _create_idempotency_keys()
    _create_payments()
    _create_rate_counters()


def downgrade() -> None:
    for table in _NEW_TABLES:
        op.drop_table(table)
    _shrink_admin_tokens()
    op.drop_index("ix_deployments_last_seen_at", "deployments")
    op.drop_column("deployments", "archived_at")
    op.drop_index("ix_license_keys_hint", "license_keys")
    for index in ("ix_licenses_issued_at", "ix_licenses_expires_at"):
        op.drop_index(index, "licenses")
    for column in ("entitlements", "metadata", "notes_sealed", "version"):
        op.drop_column("licenses", column)
    op.create_index(
        "uq_licenses_one_trial",
        "licenses",
        ["owner_id", "product"],
        unique=True,
        sqlite_where=sa.text("kind = 'trial'"),
        postgresql_where=sa.text("kind = 'trial'"),
    )
    op.drop_column("owners", "erased_at")
    op.add_column(
        "products",
        sa.Column("expiring_notice_seconds", sa.BigInteger, nullable=False, server_default="0"),
    )
    for column in ("expiring_notices", "version"):
        op.drop_column("products", column)


def _extend_products() -> None:
    op.add_column("products", _version())
    op.add_column(
        "products", sa.Column("expiring_notices", sa.Text, nullable=False, server_default="[]")
    )
    op.execute("UPDATE products SET expiring_notices = '[' || expiring_notice_seconds || ']'")
    op.drop_column("products", "expiring_notice_seconds")


def _extend_owners_and_licenses() -> None:
    op.add_column("owners", sa.Column("erased_at", sa.BigInteger))
    op.drop_index("uq_licenses_one_trial", "licenses")
    op.add_column(
        "licenses", sa.Column("entitlements", sa.Text, nullable=False, server_default="[]")
    )
    op.add_column("licenses", sa.Column("metadata", sa.Text, nullable=False, server_default="{}"))
    op.add_column("licenses", sa.Column("notes_sealed", sa.LargeBinary))
    op.add_column("licenses", _version())
    op.create_index("ix_licenses_issued_at", "licenses", ["issued_at", "id"])
    op.create_index("ix_licenses_expires_at", "licenses", ["expires_at"])


def _extend_keys_and_deployments() -> None:
    op.create_index("ix_license_keys_hint", "license_keys", ["hint"])
    op.add_column("deployments", sa.Column("archived_at", sa.BigInteger))
    op.create_index("ix_deployments_last_seen_at", "deployments", ["last_seen_at"])


def _extend_admin_tokens() -> None:
    op.add_column("admin_tokens", sa.Column("id", sa.String(40)))
    op.add_column("admin_tokens", sa.Column("name", sa.String(100)))
    op.add_column("admin_tokens", sa.Column("last_used_at", sa.BigInteger))
    op.add_column("admin_tokens", sa.Column("revoked_at", sa.BigInteger))
    op.execute("UPDATE admin_tokens SET id = 'tok_' || lower(substr(prefix, 5)), name = prefix")
    with op.batch_alter_table("admin_tokens") as table:
        table.alter_column("id", existing_type=sa.String(40), nullable=False)
        table.alter_column("name", existing_type=sa.String(100), nullable=False)
        table.create_unique_constraint("uq_admin_tokens_id", ["id"])


def _shrink_admin_tokens() -> None:
    with op.batch_alter_table("admin_tokens") as table:
        table.drop_constraint("uq_admin_tokens_id", type_="unique")
        for column in ("id", "name", "last_used_at", "revoked_at"):
            table.drop_column(column)


def _claim_trials() -> None:
    op.create_table(
        "trial_claims",
        sa.Column("product", sa.String(64), nullable=False),
        sa.Column("email_index", sa.LargeBinary, nullable=False),
        sa.Column("pepper_id", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("product", "email_index", name="pk_trial_claims"),
        sa.ForeignKeyConstraint(["product"], ["products.code"], name="fk_trial_claims_product"),
    )
    op.execute(
        "INSERT INTO trial_claims (product, email_index, pepper_id, created_at) "
        "SELECT licenses.product, owners.email_index, owners.pepper_id, licenses.issued_at "
        "FROM licenses JOIN owners ON owners.id = licenses.owner_id WHERE licenses.kind = 'trial'"
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("dedupe_key", sa.String(200)),
        sa.Column("subject", sa.String(40)),
        sa.Column("payload_sealed", sa.LargeBinary),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("claimed_until", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("error", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("dedupe_key", name="uq_outbox_dedupe_key"),
        sa.CheckConstraint("state IN ('pending', 'done', 'failed')", name="ck_outbox_state"),
    )
    op.create_index("ix_outbox_subject", "outbox", ["subject"])
    op.create_index("ix_outbox_state_due_at", "outbox", ["state", "due_at"])
    op.create_index("ix_outbox_created_at", "outbox", ["created_at", "id"])
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_schedules"),
    )


def _create_webhook_endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("url", sa.String(2048), nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary, nullable=False),
        sa.Column("previous_secret_sealed", sa.LargeBinary),
        sa.Column("previous_until", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("disabled_at", sa.BigInteger),
        sa.Column("disabled_reason", sa.String(200)),
        _version(),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
    )


def _create_recovery_links() -> None:
    op.create_table(
        "recovery_links",
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("owner_id", sa.String(40), nullable=False),
        sa.Column("product", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("hash", name="pk_recovery_links"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_recovery_links_owner_id"),
        sa.ForeignKeyConstraint(["product"], ["products.code"], name="fk_recovery_links_product"),
    )
    op.create_index("ix_recovery_links_owner_id", "recovery_links", ["owner_id"])


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("answer_sealed", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def _create_payments() -> None:
    op.create_table(
        "payment_events",
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("provider", "event_id", name="pk_payment_events"),
    )
    op.create_table(
        "payment_items",
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("item_id", sa.String(255), nullable=False),
        sa.Column("license_id", sa.String(40), nullable=False),
        sa.Column("order_ref", sa.String(255), nullable=False),
        sa.Column("subscription_ref", sa.String(255)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("provider", "item_id", name="pk_payment_items"),
        sa.ForeignKeyConstraint(
            ["license_id"], ["licenses.id"], name="fk_payment_items_license_id"
        ),
    )
    op.create_index("ix_payment_items_license_id", "payment_items", ["license_id"])
    op.create_index("ix_payment_items_order_ref", "payment_items", ["provider", "order_ref"])
    op.create_index(
        "ix_payment_items_subscription_ref", "payment_items", ["provider", "subscription_ref"]
    )


def _create_rate_counters() -> None:
    op.create_table(
        "rate_counters",
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rate_counters"),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE rate_counters SET UNLOGGED")  # counters may go in a crash


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer, nullable=False, server_default="1")
