"""Make the first schema: products, owners, licenses, keys, deployments, audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_products()
    _create_owners()
    _create_licenses()
    _create_license_keys()
    _create_deployments()
    _create_admin_tokens()
    _create_audit_log()
    _create_server_state()


def downgrade() -> None:
    for table in (
        "server_state",
        "audit_log",
        "admin_tokens",
        "deployments",
        "license_keys",
        "licenses",
        "owners",
        "products",
    ):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change_of_audit_log()")


def _create_products() -> None:
    op.create_table(
        "products",
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("key_prefix", sa.String(10), nullable=False),
        sa.Column("validity_seconds", sa.BigInteger),
        sa.Column("trial_seconds", sa.BigInteger, nullable=False),
        sa.Column("renewal_grace_seconds", sa.BigInteger, nullable=False),
        sa.Column("refresh_seconds", sa.BigInteger, nullable=False),
        sa.Column("lease_seconds", sa.BigInteger, nullable=False),
        sa.Column("offline_grace_seconds", sa.BigInteger, nullable=False),
        sa.Column("expiring_notice_seconds", sa.BigInteger, nullable=False),
        sa.Column("deployment_limit", sa.Integer),
        sa.Column("entitlements", sa.Text, nullable=False),
        sa.Column("limits", sa.Text, nullable=False),
        sa.Column("minimum_client_version", sa.String(40)),
        sa.Column("recommended_client_version", sa.String(40)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_products"),
    )


def _create_owners() -> None:
    op.create_table(
        "owners",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("email_index", sa.LargeBinary, nullable=False),
        sa.Column("domain_index", sa.LargeBinary, nullable=False),
        sa.Column("email_sealed", sa.LargeBinary, nullable=False),
        sa.Column("pepper_id", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_owners"),
        sa.UniqueConstraint("email_index", name="uq_owners_email_index"),
    )
    op.create_index("ix_owners_domain_index", "owners", ["domain_index"])


def _create_licenses() -> None:
    op.create_table(
        "licenses",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("product", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("trial_seconds", sa.BigInteger),
        sa.Column("renewal_grace_seconds", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_licenses"),
        sa.ForeignKeyConstraint(["product"], ["products.code"], name="fk_licenses_product"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_licenses_owner_id"),
        sa.CheckConstraint("kind IN ('paid', 'trial')", name="ck_licenses_kind"),
        sa.CheckConstraint(
            "standing IN ('active', 'suspended', 'revoked')", name="ck_licenses_standing"
        ),
    )
    op.create_index("ix_licenses_owner_id", "licenses", ["owner_id"])
    op.create_index("ix_licenses_product_issued_at", "licenses", ["product", "issued_at", "id"])
    only_trials = sa.text("kind = 'trial'")
    op.create_index(
        "uq_licenses_one_trial",
        "licenses",
        ["owner_id", "product"],
        unique=True,
        sqlite_where=only_trials,
        postgresql_where=only_trials,
    )


def _create_license_keys() -> None:
    op.create_table(
        "license_keys",
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.Column("pepper_id", sa.String(16), nullable=False),
        sa.Column("hint", sa.String(4), nullable=False),
        sa.Column("license_id", sa.String(40), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("superseded_until", sa.BigInteger),
        sa.PrimaryKeyConstraint("mac", name="pk_license_keys"),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name="fk_license_keys_license_id"),
    )
    op.create_index("ix_license_keys_license_id", "license_keys", ["license_id"])


def _create_deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("license_id", sa.String(40), nullable=False),
        sa.Column("instance_id", sa.String(64), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger, nullable=False),
        sa.Column("last_seen_at", sa.BigInteger, nullable=False),
        sa.Column("client_name", sa.String(64), nullable=False),
        sa.Column("client_version", sa.String(32), nullable=False),
        sa.Column("app_version", sa.String(32)),
        sa.Column("name", sa.String(64)),
        sa.Column("blocked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("license_id", "instance_id", name="pk_deployments"),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name="fk_deployments_license_id"),
    )


def _create_admin_tokens() -> None:
    op.create_table(
        "admin_tokens",
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_admin_tokens"),
    )


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("request_id", sa.String(64)),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_log"),
    )
    if op.get_context().dialect.name == "postgresql":
        _refuse_changes_on_postgresql()
    else:
        _refuse_changes_on_sqlite()


def _refuse_changes_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change_of_audit_log() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'the audit log is append-only'; END$$"
    )
    op.execute(
        "CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_log()"
    )


def _refuse_changes_on_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_log_refuses_{change.lower()} BEFORE {change} ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )


def _create_server_state() -> None:
    state = op.create_table(
        "server_state",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("newest_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_server_state"),
        sa.CheckConstraint("id = 1", name="ck_server_state_one_row"),
    )
    op.bulk_insert(state, [{"id": 1, "newest_at": 0}])
