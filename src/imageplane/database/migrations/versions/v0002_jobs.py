"""Jobs: requests that are answered later."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.String(32)
_BLOB = sa.String(200)


def upgrade() -> None:
    """Create the table of jobs."""
    op.create_table("jobs", *_what_is_asked(), *_how_it_stands(), *_constraints())
    _create_indexes()


def _what_is_asked() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("key_id", _ID, nullable=False),
        sa.Column("api", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("input", _BLOB),
        sa.Column("reply", _BLOB),
        sa.Column("base_url", sa.Text, nullable=False),
        sa.Column("webhook_url", sa.Text),
        sa.Column("delivery", sa.String(8), nullable=False),
        sa.Column("fingerprint", sa.String(64)),
        sa.Column("hold_id", _ID, nullable=False),
        sa.Column("amount_in_millicredits", sa.BigInteger, nullable=False),
    )


def _how_it_stands() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at_in_ms", sa.BigInteger, nullable=False),
        sa.Column("claim", _ID),
        sa.Column("leased_until_in_ms", sa.BigInteger),
        sa.Column("is_parked", sa.Boolean, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created_at_in_ms", sa.BigInteger, nullable=False),
        sa.Column("started_at_in_ms", sa.BigInteger),
        sa.Column("ended_at_in_ms", sa.BigInteger),
        sa.Column("parent_id", _ID),
        sa.Column("items", sa.Integer),
        sa.Column("items_done", sa.Integer),
        sa.Column("items_failed", sa.Integer),
    )


def _constraints() -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_jobs_organization_id"),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_jobs_key_id"),
        sa.UniqueConstraint("organization_id", "fingerprint", name="uq_jobs_organization_id"),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_jobs_status")
        ),
        sa.CheckConstraint("delivery IN ('bytes', 'link')", name=op.f("ck_jobs_delivery")),
    )


def _create_indexes() -> None:
    op.create_index("ix_jobs_organization_id_id", "jobs", ["organization_id", "id"])
    op.create_index("ix_jobs_ended_at_in_ms", "jobs", ["ended_at_in_ms"])
    op.create_index("ix_jobs_parent_id", "jobs", ["parent_id"])
    for name, columns, status in (
        ("ix_jobs_queued", ["priority", "due_at_in_ms"], "queued"),
        ("ix_jobs_running", ["organization_id"], "running"),
    ):
        is_of_status = sa.text(f"status = '{status}'")
        op.create_index(name, "jobs", columns, sqlite_where=is_of_status, postgresql_where=is_of_status)
