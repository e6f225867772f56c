"""The audit: everything that is counted twice must come to the same."""

from typing import Final

from imageplane.database import Database

_DISAGREEMENTS: Final = """
    WITH by_organization AS (
        SELECT organization_id, SUM(amount_in_millicredits) AS total FROM ledger_entries GROUP BY organization_id
    ), by_key AS (
        SELECT key_id, -SUM(amount_in_millicredits) AS total FROM ledger_entries GROUP BY key_id
    ), by_hold AS (
        SELECT hold_id, key_id, -SUM(amount_in_millicredits) AS charged,
               SUM(CASE kind WHEN 'hold' THEN 1 ELSE 0 END) AS opened,
               SUM(CASE kind WHEN 'hold' THEN 0 ELSE 1 END) AS closed,
               SUM(CASE kind WHEN 'settle' THEN 1 ELSE 0 END) AS settled
        FROM ledger_entries WHERE hold_id IS NOT NULL GROUP BY hold_id, key_id
    ), settled AS (
        SELECT key_id, COUNT(*) AS requests, SUM(charged) AS charged FROM by_hold WHERE settled = 1 GROUP BY key_id
    ), used AS (
        SELECT key_id, SUM(requests) AS requests, SUM(charged_in_millicredits) AS charged
        FROM usage_by_day GROUP BY key_id
    ), checks AS (
        SELECT 'balance of organization' AS what, id, balance_in_millicredits AS kept, COALESCE(total, 0) AS told
        FROM organizations LEFT JOIN by_organization ON organization_id = id
        UNION ALL
        SELECT 'credits spent by key', id, spent_in_millicredits, COALESCE(total, 0)
        FROM api_keys LEFT JOIN by_key ON key_id = id
        UNION ALL
        SELECT 'requests of key', id, COALESCE(used.requests, 0), COALESCE(settled.requests, 0)
        FROM api_keys LEFT JOIN used ON used.key_id = id LEFT JOIN settled ON settled.key_id = id
        UNION ALL
        SELECT 'charges of key', id, COALESCE(used.charged, 0), COALESCE(settled.charged, 0)
        FROM api_keys LEFT JOIN used ON used.key_id = id LEFT JOIN settled ON settled.key_id = id
        UNION ALL
        SELECT 'times that hold was opened', hold_id, 1, opened FROM by_hold
        UNION ALL
        SELECT 'times that hold is open or closed', hold_id, 1, closed + CASE WHEN id IS NULL THEN 0 ELSE 1 END
        FROM by_hold LEFT JOIN holds ON id = hold_id
        UNION ALL
        SELECT 'amount of open hold', id, amount_in_millicredits, COALESCE(charged, -1)
        FROM holds LEFT JOIN by_hold ON hold_id = id
        UNION ALL
        SELECT 'charge of hold that was given back', hold_id, 0, charged FROM by_hold WHERE closed = 1 AND settled = 0
    )
    SELECT what, id, kept, told FROM checks WHERE kept <> told ORDER BY what, id
"""


def verify(database: Database) -> list[str]:
    """Give one sentence for everything in the books that does not agree; none when all is well.

    Reads the whole ledger, as it is at one moment. Errors: busy.
    """
    rows = database.rows(_DISAGREEMENTS)
    return [f"{what} {name}: kept is {kept}, the ledger says {told}" for what, name, kept, told in rows]
