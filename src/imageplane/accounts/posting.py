"""Posting: a group of moves as a handful of statements in one transaction, whatever its size.

Rows are locked in one order everywhere, organizations before keys before holds, each by id: servers that share a
database wait for each other, and never in a circle.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from imageplane.accounts.moves import Close, Hold, Page, Purse, late_id
from imageplane.database.statements import Statement
from imageplane.errors import ImageplaneError, InternalError

Move = Hold | Close

_BALANCES: Final = Statement(
    "SELECT id, balance_in_millicredits FROM organizations WHERE id IN :ids ORDER BY id FOR NO KEY UPDATE"
)
_PURSES: Final = Statement("""
    SELECT id, organization_id, revoked_at_in_ms, expires_at_in_ms, spent_in_millicredits, budget_cap_in_millicredits
    FROM api_keys WHERE id IN :ids ORDER BY id FOR NO KEY UPDATE
""")
_CLOSE: Final = Statement("DELETE FROM holds WHERE id IN :ids RETURNING id, amount_in_millicredits")
_CLOSINGS: Final = Statement("""
    SELECT hold_id, kind, amount_in_millicredits FROM ledger_entries
    WHERE hold_id IN :ids AND kind IN ('settle', 'release', 'expire')
""")
# The conditions never fail while the rows are locked; should a lock ever be missing, nothing is overspent.
_CHANGE_BALANCE: Final = Statement("""
    UPDATE organizations SET balance_in_millicredits = balance_in_millicredits + :change
    WHERE id = :id AND balance_in_millicredits + :change >= 0
""")
_CHANGE_SPENT: Final = Statement("""
    UPDATE api_keys SET spent_in_millicredits = spent_in_millicredits + :change
    WHERE id = :id AND (:change <= 0 OR budget_cap_in_millicredits IS NULL
                        OR spent_in_millicredits + :change <= budget_cap_in_millicredits)
""")
_OPEN: Final = Statement("""
    INSERT INTO holds (id, organization_id, key_id, amount_in_millicredits, expires_at_in_ms)
    VALUES (:id, :organization_id, :key_id, :amount, :expires_at)
""")
_ENTER: Final = Statement("""
    INSERT INTO ledger_entries (organization_id, key_id, hold_id, kind, amount_in_millicredits, api, reference,
                                created_at_in_ms)
    VALUES (:organization_id, :key_id, :hold_id, :kind, :amount, :api, :reference, :now)
""")
_COUNT: Final = Statement("""
    INSERT INTO usage_by_day (organization_id, day, key_id, api, requests, charged_in_millicredits)
    VALUES (:organization_id, :day, :key_id, :api, :requests, :charged)
    ON CONFLICT (organization_id, day, key_id, api) DO UPDATE SET
        requests = usage_by_day.requests + excluded.requests,
        charged_in_millicredits = usage_by_day.charged_in_millicredits + excluded.charged_in_millicredits
""")


def post(connection: Connection, moves: Sequence[Move], now_in_ms: int) -> list[Hold | int | Exception]:
    """Do moves in their order, but close holds first, so that what is given back can be spent.

    Gives: for each move the hold that it opened, the millicredits that it charged, or its error.
    """
    page = _read(connection, moves, now_in_ms)
    before = dict(page.balances), {key: purse.spent_in_millicredits for key, purse in page.purses.items()}
    outcomes: dict[int, Hold | int | Exception] = {}
    for place in sorted(range(len(moves)), key=lambda place: isinstance(moves[place], Hold)):
        outcomes[place] = _outcome(page, moves[place])
    _write(connection, page, now_in_ms)
    spent = {key: purse.spent_in_millicredits for key, purse in page.purses.items()}
    _change(connection, _CHANGE_BALANCE, before[0], page.balances)
    _change(connection, _CHANGE_SPENT, before[1], spent)
    return [outcomes[place] for place in range(len(moves))]


def _outcome(page: Page, move: Move) -> Hold | int | Exception:
    try:
        return page.place(move) if isinstance(move, Hold) else page.close(move)
    except ImageplaneError as error:
        return error


def _read(connection: Connection, moves: Sequence[Move], now_in_ms: int) -> Page:
    holds = [move if isinstance(move, Hold) else move.hold for move in moves]
    balance_rows = _rows(connection, _BALANCES, (hold.organization_id for hold in holds))
    purse_rows = _rows(connection, _PURSES, (hold.key_id for hold in holds))
    closing = {move.hold.id for move in moves if isinstance(move, Close)}
    open_holds = dict(_rows(connection, _CLOSE, closing))
    closed = closing - open_holds.keys()
    closings = _rows(connection, _CLOSINGS, closed | {late_id(hold_id) for hold_id in closed})
    return Page(
        dict(balance_rows),
        {
            key_id: Purse(organization_id, revoked is None and (expires is None or expires > now_in_ms), spent, cap)
            for key_id, organization_id, revoked, expires, spent, cap in purse_rows
        },
        open_holds,
        {hold_id: (kind, given_back) for hold_id, kind, given_back in closings},
    )


def _write(connection: Connection, page: Page, now_in_ms: int) -> None:
    entries = [
        {
            "organization_id": entry.hold.organization_id,
            "key_id": entry.hold.key_id,
            "hold_id": entry.hold.id,
            "kind": entry.kind,
            "amount": entry.amount_in_millicredits,
            # The entry that opened a hold tells these for the one that closes it.
            "api": entry.hold.api if entry.kind == "hold" else None,
            "reference": entry.hold.reference if entry.kind == "hold" else None,
            "now": now_in_ms,
        }
        for entry in page.entries
    ]
    opened = [
        {
            "id": hold.id,
            "organization_id": hold.organization_id,
            "key_id": hold.key_id,
            "amount": hold.amount_in_millicredits,
            "expires_at": hold.expires_at_in_ms,
        }
        for hold in page.opened
    ]
    for statement, rows in ((_OPEN, opened), (_ENTER, entries), (_COUNT, _usage(page, now_in_ms))):
        if rows:
            statement.run_each(connection, rows)


def _usage(page: Page, now_in_ms: int) -> list[dict[str, Any]]:
    day = datetime.fromtimestamp(now_in_ms / 1000, UTC).date().isoformat()
    requests: Counter[tuple[str, str, str]] = Counter()
    charged: Counter[tuple[str, str, str]] = Counter()
    for entry in page.entries:
        if entry.kind == "settle":
            who = entry.hold.organization_id, entry.hold.key_id, entry.hold.api
            requests[who] += 1
            charged[who] += entry.hold.amount_in_millicredits - entry.amount_in_millicredits
    return [
        {
            "organization_id": organization_id,
            "key_id": key_id,
            "api": api,
            "day": day,
            "requests": requests[organization_id, key_id, api],
            "charged": charged[organization_id, key_id, api],
        }
        for organization_id, key_id, api in sorted(requests)
    ]


def _change(connection: Connection, statement: Statement, before: dict[str, int], after: dict[str, int]) -> None:
    changes = [{"id": name, "change": after[name] - was} for name, was in before.items() if after[name] != was]
    if changes and statement.run_each(connection, changes).rowcount != len(changes):
        raise InternalError("The credits could not be booked.", detail="a balance changed under its lock")


def _rows(connection: Connection, statement: Statement, ids: Iterable[str]) -> list[Any]:
    wanted = sorted(set(ids))
    return list(statement.run(connection, {"ids": wanted})) if wanted else []
