"""The tables behind the dashboard: users, their sessions, and the latest requests of each organization."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from imageplane.database.schema.conventions import ID, metadata

users: Final = Table(
    "users",
    metadata,
    Column("id", ID, primary_key=True),
    Column("organization_id", ID, ForeignKey("organizations.id"), nullable=False),
    # As it is compared: without differences of case.
    Column("email", String(254), nullable=False),
    # With the salt and the parameters that it was made with.
    Column("password_hash", String(200), nullable=False),
    Column("created_at_in_ms", BigInteger, nullable=False),
    UniqueConstraint("email"),
    Index(None, "organization_id"),
)

sessions: Final = Table(
    "sessions",
    metadata,
    # SHA-256 of what the cookie holds.
    Column("digest", LargeBinary(32), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at_in_ms", BigInteger, nullable=False),
    Column("expires_at_in_ms", BigInteger, nullable=False),
    Index(None, "user_id"),
    Index(None, "expires_at_in_ms"),
)

# Never a URL, a query or a byte of an image.
recent_requests: Final = Table(
    "recent_requests",
    metadata,
    # It sorts by the time of the request.
    Column("id", ID, primary_key=True),
    Column("organization_id", ID, ForeignKey("organizations.id"), nullable=False),
    Column("key_id", ID, ForeignKey("api_keys.id"), nullable=False),
    Column("at_in_ms", BigInteger, nullable=False),
    Column("route", String(120), nullable=False),
    Column("status", Integer, nullable=False),
    Column("is_failed", Boolean, nullable=False),
    Column("error_code", String(64)),
    Column("error", String(300)),
    Column("duration_in_ms", BigInteger, nullable=False),
    Column("charged_in_millicredits", BigInteger, nullable=False),
    Column("request_id", String(128), nullable=False),
    # Those that failed are kept apart, so that a flood of good ones takes the place of none of them.
    Index(None, "organization_id", "is_failed", "id"),
)
