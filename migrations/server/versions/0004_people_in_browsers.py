"""Add who signs in by a browser, and indexes for lists that people read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NEVER = 253_402_300_799  # 9999-12-31T23:59:59Z
WAITING = 30 * 86_400  # for the first use of a trial


def upgrade() -> None:
    op.create_table(
        "operators",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("totp_sealed", sa.LargeBinary, nullable=False),
        sa.Column("totp_step", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("password_changed_at", sa.BigInteger),
        sa.Column("signed_in_at", sa.BigInteger),
        sa.Column("disabled_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_operators"),
        sa.UniqueConstraint("name", name="uq_operators_name"),
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_subject", "sessions", ["subject"])
    op.create_index("ix_sessions_created_at", "sessions", ["created_at"])
    with op.batch_alter_table("recovery_links") as links:  # without one they sign in
        links.alter_column("product", existing_type=sa.String(64), nullable=True)
    _index_licenses()
    op.create_index("ix_audit_log_subject", "audit_log", ["subject", "seq"])


def _index_licenses() -> None:
    op.drop_index("ix_licenses_expires_at", "licenses")
    end = f"coalesce(expires_at, {NEVER})"
    stop = (
        f"coalesce(expires_at, issued_at + {WAITING} + trial_seconds, {NEVER}) "
        "+ renewal_grace_seconds"
    )
    for name, key in (("end", end), ("stop", f"({stop})")):
        op.create_index(f"ix_licenses_{name}", "licenses", [sa.text(key), "id"])
    for name, which in (("not_active", "standing <> 'active'"), ("trials", "kind = 'trial'")):
        op.create_index(
            f"ix_licenses_{name}",
            "licenses",
            ["issued_at", "id"],
            sqlite_where=sa.text(which),
            postgresql_where=sa.text(which),
        )


def downgrade() -> None:
    op.drop_index("ix_audit_log_subject", "audit_log")
    for index in ("end", "stop", "not_active", "trials"):
        op.drop_index(f"ix_licenses_{index}", "licenses")
    op.create_index("ix_licenses_expires_at", "licenses", ["expires_at"])
    op.execute("DELETE FROM recovery_links WHERE product IS NULL")
    with op.batch_alter_table("recovery_links") as links:
        links.alter_column("product", existing_type=sa.String(64), nullable=False)
    op.drop_table("sessions")
    op.drop_table("operators")
