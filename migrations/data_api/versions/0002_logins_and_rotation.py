"""The logins of schemas, when a key was last used, and what a rotated key was replaced by."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "db_api"


def upgrade() -> None:
    op.add_column("keys", sa.Column("last_used_at", sa.DateTime(timezone=True)), schema=SCHEMA)
    op.add_column("keys", sa.Column("replaced_by", sa.Uuid), schema=SCHEMA)
    _index_names("revoked_at IS NULL AND replaced_by IS NULL")
    op.create_table(
        "logins",
        sa.Column("schema_name", sa.String(63), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("role_name", sa.String(63), nullable=False),
        sa.Column("sealed_password", sa.LargeBinary),
        sa.Column("is_provisioned", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('anon', 'service_role')", name="logins_kind_check"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("logins", schema=SCHEMA)
    _index_names("revoked_at IS NULL")
    op.drop_column("keys", "replaced_by", schema=SCHEMA)
    op.drop_column("keys", "last_used_at", schema=SCHEMA)


def _index_names(condition: str) -> None:
    """Make the index anew: which keys of a schema may not share a name."""
    op.drop_index("keys_live_name_key", "keys", schema=SCHEMA)
    op.create_index(
        "keys_live_name_key",
        "keys",
        ["schema_name", "name"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text(condition),
    )
