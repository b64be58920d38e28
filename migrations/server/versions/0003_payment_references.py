"""Add which order a payment was for: refunds of subscriptions name the payment alone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "payment_references",
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("payment_ref", sa.String(255), nullable=False),
        sa.Column("order_ref", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("provider", "payment_ref", name="pk_payment_references"),
    )


def downgrade() -> None:
    op.drop_table("payment_references")
