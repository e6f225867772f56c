"""The tables of jobs and of their webhooks."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from imageplane.database.schema.conventions import ID, NAME, metadata

jobs: Final = Table(
    "jobs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("organization_id", ID, ForeignKey("organizations.id"), nullable=False),
    Column("key_id", ID, ForeignKey("api_keys.id"), nullable=False),
    Column("api", String(64), nullable=False),
    Column("request_id", String(128), nullable=False),
    # What was asked for, as its API wrote it down.
    Column("request", Text, nullable=False),
    # Where the bytes lie that came with it, and those that came of it.
    Column("input", NAME),
    Column("reply", NAME),
    Column("base_url", Text, nullable=False),
    Column("webhook_url", Text),
    Column("delivery", String(8), nullable=False),
    # The same for every attempt of a caller to hand in one job; without an idempotency key every attempt is another.
    Column("fingerprint", String(64)),
    Column("hold_id", ID, nullable=False),
    Column("amount_in_millicredits", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at_in_ms", BigInteger, nullable=False),
    # Who works on it, and until when nobody else may.
    Column("claim", ID),
    Column("leased_until_in_ms", BigInteger),
    # It waits for another job of its organization to end.
    Column("is_parked", Boolean, nullable=False),
    Column("error", Text),
    Column("created_at_in_ms", BigInteger, nullable=False),
    Column("started_at_in_ms", BigInteger),
    Column("ended_at_in_ms", BigInteger),
    # A part of a bulk: whose it is, how many images it has, and what became of them.
    Column("parent_id", ID),
    Column("items", Integer),
    Column("items_done", Integer),
    Column("items_failed", Integer),
    UniqueConstraint("organization_id", "fingerprint"),
    CheckConstraint("status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="status"),
    CheckConstraint("delivery IN ('bytes', 'link')", name="delivery"),
    Index(None, "organization_id", "id"),
    Index(None, "ended_at_in_ms"),
    Index(None, "parent_id"),
)

for _name, _columns, _status in (
    ("ix_jobs_queued", ("priority", "due_at_in_ms"), "queued"),
    ("ix_jobs_running", ("organization_id",), "running"),
):
    _is_of_status = jobs.c.status == _status
    _places = [jobs.c[_column] for _column in _columns]
    Index(_name, *_places, sqlite_where=_is_of_status, postgresql_where=_is_of_status)

# What webhooks are signed with. Of each organization one has no end, and those that it took the place of have one.
webhook_secrets: Final = Table(
    "webhook_secrets",
    metadata,
    Column("id", ID, primary_key=True),
    Column("organization_id", ID, ForeignKey("organizations.id"), nullable=False),
    Column("secret", String(100), nullable=False),
    Column("created_at_in_ms", BigInteger, nullable=False),
    Column("signs_until_in_ms", BigInteger),
    Index(None, "organization_id"),
)

_IS_CURRENT: Final = webhook_secrets.c.signs_until_in_ms.is_(None)

Index(
    "uq_webhook_secrets_current",
    webhook_secrets.c.organization_id,
    unique=True,
    sqlite_where=_IS_CURRENT,
    postgresql_where=_IS_CURRENT,
)

installation_secrets: Final = Table(
    "installation_secrets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary(64), nullable=False),
    Column("created_at_in_ms", BigInteger, nullable=False),
)

# Messages to webhooks, each until it is delivered or its tries are used up.
deliveries: Final = Table(
    "deliveries",
    metadata,
    # The webhook-id.
    Column("id", ID, primary_key=True),
    Column("organization_id", ID, ForeignKey("organizations.id"), nullable=False),
    Column("job_id", ID, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("url", Text, nullable=False),
    # Whom it goes to, so that one who stalls can be told from others.
    Column("host", String(270), nullable=False),
    Column("delivery", String(8), nullable=False),
    Column("size_in_bytes", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("due_at_in_ms", BigInteger, nullable=False),
    # Which process sends it, and until when it is believed to.
    Column("claim", ID),
    Column("lease_expires_at_in_ms", BigInteger),
    Column("created_at_in_ms", BigInteger, nullable=False),
    Column("ended_at_in_ms", BigInteger),
    CheckConstraint("delivery IN ('bytes', 'link')", name="delivery"),
    CheckConstraint("status IN ('pending', 'delivered', 'failed')", name="status"),
    Index(None, "job_id"),
)

_IS_PENDING: Final = deliveries.c.status == "pending"

Index(
    "ix_deliveries_due",
    deliveries.c.due_at_in_ms,
    sqlite_where=_IS_PENDING,
    postgresql_where=_IS_PENDING,
)

delivery_attempts: Final = Table(
    "delivery_attempts",
    metadata,
    Column("delivery_id", ID, ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at_in_ms", BigInteger, nullable=False),
    Column("duration_in_ms", Integer, nullable=False),
    # Without one there was no answer.
    Column("status_code", Integer),
    # Without one the receiver took it.
    Column("error", String(300)),
)
