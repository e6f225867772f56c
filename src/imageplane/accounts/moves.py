"""Moves of credits, and what they write, as pure bookkeeping.

A hold takes an amount from the balance before the work; it is closed once: settled for what the work costs, released
when the work failed, or expired when nobody closed it in time. The balance is always the sum of all entries.
"""

from dataclasses import dataclass, replace
from typing import Literal

from imageplane.errors import BudgetCapExceeded, InsufficientCredits, InternalError, InvalidKey

Closing = Literal["settle", "release", "expire"]
Kind = Literal["hold", Closing]


@dataclass(frozen=True, slots=True)
class Hold:
    """An amount that is set aside for one request.

    Takes: `reference`, the id of the request.
    """

    id: str
    organization_id: str
    key_id: str
    amount_in_millicredits: int
    api: str
    reference: str
    expires_at_in_ms: int

    @property
    def late(self) -> "Hold":
        """The hold that takes the place of this one when it is settled after it expired.

        Its id is always the same, so that the work is not charged twice either.
        """
        return replace(self, id=late_id(self.id))


def late_id(hold_id: str) -> str:
    """Give the id under which a hold is charged that had expired."""
    return f"{hold_id}-late"


@dataclass(frozen=True, slots=True)
class Close:
    """The end of a hold.

    Takes: `charged_in_millicredits`, what the work costs: at most what is held, and 0 unless it is settled.
    """

    hold: Hold
    kind: Closing
    charged_in_millicredits: int = 0


@dataclass(slots=True)
class Purse:
    """What a key may spend: of the balance of its organization, up to its own cap."""

    organization_id: str
    is_active: bool
    spent_in_millicredits: int
    budget_cap_in_millicredits: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: by how much the balance of the organization of a hold changes."""

    hold: Hold
    kind: Kind
    amount_in_millicredits: int


class Page:
    """The part of the books that a group of moves touches.

    Takes: balances by organization and purses by key; the amounts of holds that are open; how holds that are not
    were closed, with the amount that was given back.
    Gives: `entries` and `opened`, to be written.
    """

    def __init__(
        self,
        balances: dict[str, int],
        purses: dict[str, Purse],
        open_holds: dict[str, int],
        closings: dict[str, tuple[Closing, int]],
    ) -> None:
        self.balances = balances
        self.purses = purses
        self.entries: list[Entry] = []
        self.opened: list[Hold] = []
        self._open = open_holds
        self._closings = closings

    def place(self, hold: Hold) -> Hold:
        """Open a hold. Errors: invalid_api_key, insufficient_credits, budget_cap_exceeded."""
        purse = self.purses.get(hold.key_id)
        if purse is None or not purse.is_active or purse.organization_id != hold.organization_id:
            raise InvalidKey
        self._take(hold, purse, hold.amount_in_millicredits)
        self.opened.append(hold)
        return hold

    def close(self, move: Close) -> int:
        """Close a hold, once: the second time changes nothing.

        Gives: what is charged for it in the end, in millicredits.
        Errors: insufficient_credits and budget_cap_exceeded, when the hold has expired, the work is charged anew, and
        what was held is spent; internal_error, when a hold is settled that its owner released.
        """
        held = self._open.pop(move.hold.id, None)
        if held is not None:
            return self._give_back(move, held)
        for name in (move.hold.id, move.hold.late.id):
            kind, given_back = self._closings.get(name, (None, 0))
            if kind == "settle":
                return move.hold.amount_in_millicredits - given_back
        if move.kind != "settle":
            return 0
        kind, _ = self._closings.get(move.hold.id, (None, 0))
        if kind != "expire":
            raise InternalError("The work can't be charged.", detail=f"settling hold {move.hold.id}, closed by {kind}")
        late = Close(move.hold.late, "settle", move.charged_in_millicredits)
        self._take(late.hold, self.purses[late.hold.key_id], late.charged_in_millicredits)
        return self._give_back(late, late.hold.amount_in_millicredits)

    def _take(self, hold: Hold, purse: Purse, needed_in_millicredits: int) -> None:
        cap = purse.budget_cap_in_millicredits
        if needed_in_millicredits > self.balances[hold.organization_id]:
            raise InsufficientCredits
        if cap is not None and 0 < needed_in_millicredits > cap - purse.spent_in_millicredits:
            raise BudgetCapExceeded
        self._enter(Entry(hold, "hold", -hold.amount_in_millicredits))

    def _give_back(self, move: Close, held: int) -> int:
        given_back = held - move.charged_in_millicredits
        self._enter(Entry(move.hold, move.kind, given_back))
        self._closings[move.hold.id] = move.kind, given_back
        return move.charged_in_millicredits

    def _enter(self, entry: Entry) -> None:
        self.balances[entry.hold.organization_id] += entry.amount_in_millicredits
        self.purses[entry.hold.key_id].spent_in_millicredits -= entry.amount_in_millicredits
        self.entries.append(entry)
