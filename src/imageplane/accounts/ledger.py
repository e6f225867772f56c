"""The ledger: credits are held before the work, then settled or released; entries are only appended.

The balance of an organization is the sum of its entries, and what it can spend. A process that dies leaves its holds
open; they expire, and `release_expired` gives them back.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import Connection, text

from imageplane.accounts.account import Account
from imageplane.accounts.moves import Close, Hold
from imageplane.accounts.posting import Move, post
from imageplane.accounts.prices import Price
from imageplane.database import Database, Line, Writer
from imageplane.database.stamps import Clock, new_id, now_in_ms
from imageplane.errors import NotFound, RequestError

_EXPIRED_AT_ONCE: Final = 1000
_LARGEST_GRANT: Final = 10**15


@dataclass(frozen=True, slots=True)
class Companion:
    """What is written in the transaction of a move, so that neither is ever there without the other.

    Takes: `id`, by which the rows that it locks are ordered among all servers; `before`, which may say that the move
    is not to be made, and then it fails with `Overtaken`; `after`, called when the move was made. What they raise
    undoes both.
    """

    id: str
    before: Callable[[Connection], bool] | None = None
    after: Callable[[Connection], object] | None = None


class Overtaken(Exception):
    """The companion of a move found that it is not to be made: somebody else was faster."""


@dataclass(frozen=True, slots=True)
class _Booking:
    move: Move
    companion: Companion | None = None


class Ledger:
    """Holds on credits, committed in groups."""

    def __init__(self, database: Database, writer: Writer, clock: Clock = now_in_ms) -> None:
        self._database = database
        self._clock = clock
        self._line: Line[_Booking, Hold | int] = writer.line(self._book)

    def hold(
        self,
        account: Account,
        price: Price,
        reference: str,
        *,
        expires_in_s: float,
        companion: Callable[[Hold], Companion] | None = None,
    ) -> Future[Hold]:
        """Start to set credits aside.

        Takes: `reference`, the id of the request; a time after which nobody works on it any more; what is written
        with it.
        Errors, by the future: insufficient_credits, budget_cap_exceeded, invalid_api_key, busy.
        """
        now = self._clock()
        hold = Hold(
            new_id(now),
            account.organization_id,
            account.key_id,
            price.amount_in_millicredits,
            price.api,
            reference,
            now + round(expires_in_s * 1000),
        )
        return cast("Future[Hold]", self._line.submit(_Booking(hold, companion(hold) if companion else None)))

    def settle(
        self, hold: Hold, amount_in_millicredits: int | None = None, companion: Companion | None = None
    ) -> Future[int]:
        """Start to charge for work that is done: all that is held, or less.

        Work that is done after its hold expired is charged anew, if the credits are still there. Settling twice is
        the same as once.
        Gives: what is charged in the end, in millicredits.
        Errors, by the future: busy; insufficient_credits, budget_cap_exceeded when the hold had expired.
        """
        amount = hold.amount_in_millicredits if amount_in_millicredits is None else amount_in_millicredits
        if not 0 <= amount <= hold.amount_in_millicredits:
            raise ValueError(f"{amount} of {hold.amount_in_millicredits} millicredits can't be settled")
        return cast("Future[int]", self._line.submit(_Booking(Close(hold, "settle", amount), companion)))

    def release(self, hold: Hold, companion: Companion | None = None) -> Future[int]:
        """Start to give a hold back; does nothing when it is closed already.

        Gives: what is charged nevertheless, in millicredits: 0, unless it was settled.
        Errors, by the future: busy.
        """
        return cast("Future[int]", self._line.submit(_Booking(Close(hold, "release"), companion)))

    def release_expired(self) -> int:
        """Give back the holds that nobody closed in time, and tell how many; waits for it. Errors: busy."""
        total = 0
        while holds := self._expired():
            futures = [self._line.submit(_Booking(Close(hold, "expire"))) for hold in holds]
            for future in futures:
                future.result()
            total += len(holds)
        return total

    def _book(self, connection: Connection, bookings: Sequence[_Booking]) -> list[Hold | int | Exception]:
        refused = _overtaken(connection, bookings)
        wanted = [place for place in range(len(bookings)) if place not in refused]
        outcomes: dict[int, Hold | int | Exception] = dict.fromkeys(refused, Overtaken())
        outcomes.update(zip(wanted, post(connection, [bookings[i].move for i in wanted], self._clock()), strict=True))
        for place in wanted:
            companion, outcome = bookings[place].companion, outcomes[place]
            if companion and companion.before and isinstance(outcome, Exception):
                # What was written before it is undone.
                raise outcome
            if companion and companion.after and not isinstance(outcome, Exception):
                companion.after(connection)
        return [outcomes[place] for place in range(len(bookings))]

    def _expired(self) -> list[Hold]:
        statement = """
            SELECT id, organization_id, key_id, amount_in_millicredits, expires_at_in_ms FROM holds
            WHERE expires_at_in_ms <= :now ORDER BY expires_at_in_ms LIMIT :most
        """
        rows = self._database.rows(statement, {"now": self._clock(), "most": _EXPIRED_AT_ONCE})
        # What the request was is written where the hold was opened.
        return [Hold(*columns[:4], "", "", columns[4]) for columns in rows]  # type: ignore[call-arg]


def _overtaken(connection: Connection, bookings: Sequence[_Booking]) -> set[int]:
    asked = [(each.companion, place) for place, each in enumerate(bookings) if each.companion and each.companion.before]
    ordered = sorted(asked, key=lambda item: item[0].id)
    return {place for companion, place in ordered if companion.before and not companion.before(connection)}


def grant(connection: Connection, organization_id: str, amount_in_millicredits: int, reference: str) -> int:
    """Give credits to an organization, and tell its new balance in millicredits. Errors: invalid_request, not_found."""
    if not 0 <= amount_in_millicredits <= _LARGEST_GRANT:
        raise RequestError(f"A grant has 0 to {_LARGEST_GRANT:,} millicredits.")
    parameters: dict[str, Any] = {
        "id": organization_id,
        "amount": amount_in_millicredits,
        "reference": reference,
        "now": now_in_ms(),
    }
    update = """
        UPDATE organizations SET balance_in_millicredits = balance_in_millicredits + :amount
        WHERE id = :id RETURNING balance_in_millicredits
    """
    balance = connection.execute(text(update), parameters).scalar_one_or_none()
    if balance is None:
        raise NotFound("There is no such organization.")
    insert = """
        INSERT INTO ledger_entries (organization_id, kind, amount_in_millicredits, reference, created_at_in_ms)
        VALUES (:id, 'grant', :amount, :reference, :now)
    """
    connection.execute(text(insert), parameters)
    return int(balance)
