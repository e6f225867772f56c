"""The tables of the accounts."""

from typing import Final

from sqlalchemy import (
    DDL,
    BigInteger,
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
    event,
)

from imageplane.database.schema.conventions import ID, NAME, metadata

organizations: Final = Table(
    "organizations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("balance_in_millicredits", BigInteger, nullable=False),
    Column("created_at_in_ms", BigInteger, nullable=False),
    UniqueConstraint("name"),
    CheckConstraint("balance_in_millicredits >= 0", name="not_overspent"),
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", ID, primary_key=True),
    Column("organization_id", ID, ForeignKey("organizations.id"), nullable=False),
    Column("name", NAME, nullable=False),
    Column("prefix", String(32), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("budget_cap_in_millicredits", BigInteger),
    Column("spent_in_millicredits", BigInteger, nullable=False),
    Column("created_at_in_ms", BigInteger, nullable=False),
    Column("expires_at_in_ms", BigInteger),
    Column("revoked_at_in_ms", BigInteger),
    UniqueConstraint("digest"),
    CheckConstraint("spent_in_millicredits >= 0", name="spent"),
    CheckConstraint("budget_cap_in_millicredits >= 0", name="budget_cap"),
    Index(None, "organization_id"),
)

ledger_entries: Final = Table(
    "ledger_entries",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("organization_id", ID, ForeignKey("organizations.id"), nullable=False),
    Column("key_id", ID, ForeignKey("api_keys.id")),
    Column("hold_id", ID),
    Column("kind", String(16), nullable=False),
    Column("amount_in_millicredits", BigInteger, nullable=False),
    Column("api", String(64)),
    Column("reference", String(200)),
    Column("created_at_in_ms", BigInteger, nullable=False),
    CheckConstraint("kind IN ('grant', 'hold', 'settle', 'release', 'expire')", name="kind"),
    CheckConstraint("(kind = 'hold') = (amount_in_millicredits < 0) OR amount_in_millicredits = 0", name="sign"),
    Index(None, "organization_id", "id"),
)

_CLOSES: Final = ledger_entries.c.kind.in_(["settle", "release", "expire"])

# Whatever happens, no hold is closed twice.
Index(
    "uq_ledger_entries_closing",
    ledger_entries.c.hold_id,
    unique=True,
    sqlite_where=_CLOSES,
    postgresql_where=_CLOSES,
)

# Only open holds; how a hold was closed is in the ledger.
holds: Final = Table(
    "holds",
    metadata,
    Column("id", ID, primary_key=True),
    Column("organization_id", ID, ForeignKey("organizations.id"), nullable=False),
    Column("key_id", ID, ForeignKey("api_keys.id"), nullable=False),
    Column("amount_in_millicredits", BigInteger, nullable=False),
    Column("expires_at_in_ms", BigInteger, nullable=False),
    CheckConstraint("amount_in_millicredits >= 0", name="amount"),
    Index(None, "expires_at_in_ms"),
)

usage_by_day: Final = Table(
    "usage_by_day",
    metadata,
    Column("organization_id", ID, ForeignKey("organizations.id"), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("key_id", ID, ForeignKey("api_keys.id"), primary_key=True),
    Column("api", String(64), primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("charged_in_millicredits", BigInteger, nullable=False),
)

idempotency_keys: Final = Table(
    "idempotency_keys",
    metadata,
    Column("organization_id", ID, ForeignKey("organizations.id"), primary_key=True),
    Column("key", String(255), primary_key=True),
    # Who works on it, so that somebody who took over is not overwritten.
    Column("claim", ID, nullable=False),
    Column("request_digest", LargeBinary(32), nullable=False),
    # No status: still running.
    Column("status", Integer),
    Column("headers", Text),
    # A reply is here or, when it is large, among the blobs.
    Column("body", LargeBinary),
    Column("blob", String(200)),
    Column("expires_at_in_ms", BigInteger, nullable=False),
    Index(None, "expires_at_in_ms"),
)


def _on_creation(table: Table, dialect: str, statement: str) -> None:
    event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


for _verb in ("UPDATE", "DELETE"):
    _on_creation(
        ledger_entries,
        "sqlite",
        f"CREATE TRIGGER ledger_entries_no_{_verb.lower()} BEFORE {_verb} ON ledger_entries "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is only appended to'); END",
    )
_on_creation(
    ledger_entries,
    "postgresql",
    "CREATE FUNCTION ledger_is_only_appended_to() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the ledger is only appended to'; END $$",
)
_on_creation(
    ledger_entries,
    "postgresql",
    "CREATE TRIGGER ledger_entries_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_only_appended_to()",
)
