"""Webhooks: what they are signed with, to whom they are sent, and what came of each attempt."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.String(32)


def upgrade() -> None:
    """Create the tables of webhooks."""
    _create_secrets()
    _create_deliveries()
    _create_attempts()


def _create_secrets() -> None:
    op.create_table(
        "webhook_secrets",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("created_at_in_ms", sa.BigInteger, nullable=False),
        sa.Column("signs_until_in_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_secrets"),
        _owner("webhook_secrets"),
    )
    op.create_index("ix_webhook_secrets_organization_id", "webhook_secrets", ["organization_id"])
    is_current = sa.text("signs_until_in_ms IS NULL")
    op.create_index(
        "uq_webhook_secrets_current",
        "webhook_secrets",
        ["organization_id"],
        unique=True,
        sqlite_where=is_current,
        postgresql_where=is_current,
    )
    op.create_table(
        "installation_secrets",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.LargeBinary(64), nullable=False),
        sa.Column("created_at_in_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_installation_secrets"),
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("job_id", _ID, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("host", sa.String(270), nullable=False),
        sa.Column("delivery", sa.String(8), nullable=False),
        sa.Column("size_in_bytes", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tries_left", sa.Integer, nullable=False),
        sa.Column("due_at_in_ms", sa.BigInteger, nullable=False),
        sa.Column("claim", _ID),
        sa.Column("lease_expires_at_in_ms", sa.BigInteger),
        sa.Column("created_at_in_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_at_in_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        _owner("deliveries"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_deliveries_job_id", ondelete="CASCADE"),
        sa.CheckConstraint("delivery IN ('bytes', 'link')", name=op.f("ck_deliveries_delivery")),
        sa.CheckConstraint("status IN ('pending', 'delivered', 'failed')", name=op.f("ck_deliveries_status")),
    )
    op.create_index("ix_deliveries_job_id", "deliveries", ["job_id"])
    is_pending = sa.text("status = 'pending'")
    op.create_index(
        "ix_deliveries_due", "deliveries", ["due_at_in_ms"], sqlite_where=is_pending, postgresql_where=is_pending
    )


def _create_attempts() -> None:
    op.create_table(
        "delivery_attempts",
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at_in_ms", sa.BigInteger, nullable=False),
        sa.Column("duration_in_ms", sa.Integer, nullable=False),
        sa.Column("status_code", sa.Integer),
        sa.Column("error", sa.String(300)),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="pk_delivery_attempts"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name="fk_delivery_attempts_delivery_id", ondelete="CASCADE"
        ),
    )


def _owner(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=f"fk_{table}_organization_id")
