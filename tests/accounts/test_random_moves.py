"""Random groups of moves, on a real database, against a model that a child could keep with coins."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from banking import PRICE, balance_of, new_account, open_books
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imageplane.accounts.account import Account
from imageplane.accounts.audit import verify
from imageplane.accounts.books import Books
from imageplane.accounts.ledger import grant
from imageplane.accounts.moves import Close, Hold
from imageplane.accounts.posting import Move, post
from imageplane.database.stamps import new_id
from imageplane.errors import BudgetCapExceeded, ImageplaneError, InsufficientCredits, InternalError

Verb = Literal["hold", "settle", "release", "expire"]


@dataclass
class Coins:
    """What is in the purse, what the key has spent, and what became of every hold."""

    purse: int
    cap: int | None
    spent: int = 0
    states: dict[str, str] = field(default_factory=dict)
    charged: dict[str, int] = field(default_factory=dict)

    def take(self, amount: int) -> type[ImageplaneError] | None:
        if amount > self.purse:
            return InsufficientCredits
        if amount > 0 and self.cap is not None and self.spent + amount > self.cap:
            return BudgetCapExceeded
        self.purse -= amount
        self.spent += amount
        return None

    def give(self, amount: int) -> None:
        self.purse += amount
        self.spent -= amount

    def do(self, move: Move) -> object:
        """Give what the ledger should give: a hold, what is charged, or the kind of an error."""
        if isinstance(move, Hold):
            error = self.take(move.amount_in_millicredits)
            if error is None:
                self.states[move.id] = "open"
            return error or move
        return self.close(move)

    def close(self, move: Close) -> object:
        name, state = move.hold.id, self.states[move.hold.id]
        if state == "open":
            self.give(move.hold.amount_in_millicredits - move.charged_in_millicredits)
        elif state == "expire" and move.kind == "settle":
            error = self.take(move.charged_in_millicredits)
            if error is not None:
                return error
        elif state == "release" and move.kind == "settle":
            return InternalError
        else:
            return self.charged.get(name, 0)
        self.states[name] = move.kind
        self.charged[name] = move.charged_in_millicredits
        return move.charged_in_millicredits


# Each move: what to do, with which of the holds so far, and an amount.
MOVES = st.tuples(
    st.sampled_from(["hold", "hold", "settle", "release", "expire"]), st.integers(0, 40), st.integers(0, 1500)
)
GROUPS = st.lists(st.lists(MOVES, min_size=1, max_size=8), min_size=1, max_size=8)


def move_of(account: Account, holds: list[Hold], verb: Verb, which: int, amount: int) -> Move | None:
    if verb == "hold":
        return Hold(new_id(), account.organization_id, account.key_id, amount, PRICE.api, "request", 0)
    if not holds:
        return None
    hold = holds[which % len(holds)]
    return Close(hold, verb, min(amount, hold.amount_in_millicredits) if verb == "settle" else 0)


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    folder: Path = tmp_path_factory.mktemp("random")
    with open_books(f"sqlite:///{folder / 'imageplane.db'}", folder) as books:
        yield books


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(GROUPS, st.integers(0, 4), st.none() | st.integers(0, 4), st.integers(0, 2000))
def test_groups_of_moves_come_to_what_coins_come_to(
    one_for_all: Books, groups: list[list[tuple[Verb, int, int]]], credit: int, cap: int | None, granted: int
) -> None:
    account = new_account(one_for_all, credit, cap)
    coins = Coins(credit * 1000, None if cap is None else cap * 1000)
    holds: list[Hold] = []
    for number, group in enumerate(groups):
        moves = [move for spoken in group if (move := move_of(account, holds, *spoken)) is not None]
        with one_for_all.database.writing() as connection:
            outcomes = post(connection, moves, number)
            if number == 0:
                grant(connection, account.organization_id, granted, "gift")
        # Holds are closed before others are opened, each kind in its order.
        for move, outcome in sorted(zip(moves, outcomes, strict=True), key=lambda pair: isinstance(pair[0], Hold)):
            told = type(outcome) if isinstance(outcome, Exception) else outcome
            assert told == coins.do(move)
        holds += [outcome for outcome in outcomes if isinstance(outcome, Hold)]
        coins.purse += granted if number == 0 else 0
        assert balance_of(one_for_all, account) == coins.purse
    assert coins.purse >= 0
    assert verify(one_for_all.database) == []
