"""The dashboard: users, their sessions, and the latest requests of each organization."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.String(32)


def upgrade() -> None:
    """Create the tables of the dashboard."""
    _create_users()
    _create_recent_requests()


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("created_at_in_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_users_organization_id"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_index("ix_users_organization_id", "users", ["organization_id"])
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("created_at_in_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_in_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id", ondelete="CASCADE"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at_in_ms", "sessions", ["expires_at_in_ms"])


def _create_recent_requests() -> None:
    op.create_table(
        "recent_requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("key_id", _ID, nullable=False),
        sa.Column("at_in_ms", sa.BigInteger, nullable=False),
        sa.Column("route", sa.String(120), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("is_failed", sa.Boolean, nullable=False),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error", sa.String(300)),
        sa.Column("duration_in_ms", sa.BigInteger, nullable=False),
        sa.Column("charged_in_millicredits", sa.BigInteger, nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recent_requests"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_recent_requests_organization_id"),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_recent_requests_key_id"),
    )
    op.create_index(
        "ix_recent_requests_organization_id_is_failed_id", "recent_requests", ["organization_id", "is_failed", "id"]
    )
