"""Organizations, keys, the ledger, usage, and replies to repeat."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.String(32)
_NAME = sa.String(200)


def upgrade() -> None:
    """Create the tables of the accounts."""
    _create_owners()
    _create_ledger()
    _create_holds()
    _create_records()
    _forbid_changes_of_the_ledger()


def _create_owners() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("balance_in_millicredits", sa.BigInteger, nullable=False),
        sa.Column("created_at_in_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
        sa.UniqueConstraint("name", name="uq_organizations_name"),
        sa.CheckConstraint("balance_in_millicredits >= 0", name=op.f("ck_organizations_not_overspent")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("prefix", sa.String(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("budget_cap_in_millicredits", sa.BigInteger),
        sa.Column("spent_in_millicredits", sa.BigInteger, nullable=False),
        sa.Column("created_at_in_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_in_ms", sa.BigInteger),
        sa.Column("revoked_at_in_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        _owner("api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
        sa.CheckConstraint("spent_in_millicredits >= 0", name=op.f("ck_api_keys_spent")),
        sa.CheckConstraint("budget_cap_in_millicredits >= 0", name=op.f("ck_api_keys_budget_cap")),
    )
    op.create_index("ix_api_keys_organization_id", "api_keys", ["organization_id"])


def _create_ledger() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("key_id", _ID),
        sa.Column("hold_id", _ID),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("amount_in_millicredits", sa.BigInteger, nullable=False),
        sa.Column("api", sa.String(64)),
        sa.Column("reference", sa.String(200)),
        sa.Column("created_at_in_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
        _owner("ledger_entries"),
        _key("ledger_entries"),
        sa.CheckConstraint(
            "kind IN ('grant', 'hold', 'settle', 'release', 'expire')", name=op.f("ck_ledger_entries_kind")
        ),
        sa.CheckConstraint(
            "(kind = 'hold') = (amount_in_millicredits < 0) OR amount_in_millicredits = 0",
            name=op.f("ck_ledger_entries_sign"),
        ),
    )
    op.create_index("ix_ledger_entries_organization_id_id", "ledger_entries", ["organization_id", "id"])
    closes = sa.text("kind IN ('settle', 'release', 'expire')")
    op.create_index(
        "uq_ledger_entries_closing",
        "ledger_entries",
        ["hold_id"],
        unique=True,
        sqlite_where=closes,
        postgresql_where=closes,
    )


def _create_holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("key_id", _ID, nullable=False),
        sa.Column("amount_in_millicredits", sa.BigInteger, nullable=False),
        sa.Column("expires_at_in_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        _owner("holds"),
        _key("holds"),
        sa.CheckConstraint("amount_in_millicredits >= 0", name=op.f("ck_holds_amount")),
    )
    op.create_index("ix_holds_expires_at_in_ms", "holds", ["expires_at_in_ms"])


def _create_records() -> None:
    op.create_table(
        "usage_by_day",
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("key_id", _ID, nullable=False),
        sa.Column("api", sa.String(64), nullable=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("charged_in_millicredits", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "day", "key_id", "api", name="pk_usage_by_day"),
        _owner("usage_by_day"),
        _key("usage_by_day"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("claim", _ID, nullable=False),
        sa.Column("request_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("headers", sa.Text),
        sa.Column("body", sa.LargeBinary),
        sa.Column("blob", sa.String(200)),
        sa.Column("expires_at_in_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "key", name="pk_idempotency_keys"),
        _owner("idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_expires_at_in_ms", "idempotency_keys", ["expires_at_in_ms"])


def _owner(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=f"fk_{table}_organization_id")


def _key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=f"fk_{table}_key_id")


def _forbid_changes_of_the_ledger() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_entries_no_{verb.lower()} BEFORE {verb} ON ledger_entries "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is only appended to'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION ledger_is_only_appended_to() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is only appended to'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_entries_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_only_appended_to()"
    )
