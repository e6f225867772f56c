"""Metering: work that is paid for when it is done, and costs nothing when it is not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from imageplane.accounts.account import Account
from imageplane.accounts.ledger import Ledger
from imageplane.accounts.moves import Hold
from imageplane.accounts.prices import Price
from imageplane.accounts.waiting import outcome_of, whatever_happens
from imageplane.errors import Busy

_PAUSES_IN_S: Final = (0.2, 0.5, 1.0)


@dataclass(slots=True)
class Charge:
    """What one request has on hold, and what it costs in the end.

    Takes: `amount_in_millicredits`, which the work may lower while it runs, never below 0.
    """

    hold: Hold
    amount_in_millicredits: int


@dataclass(frozen=True, slots=True)
class Meter:
    """Charges for work.

    Takes: a time after which nobody can still be working on a request, so that what a killed process held may be
    given back.
    """

    ledger: Ledger
    holds_for_in_s: float

    @contextlib.asynccontextmanager
    async def charged(self, account: Account, price: Price, request_id: str) -> AsyncIterator[Charge]:
        """Hold the price during the work; charge it at the end, or give it back when the work raises anything.

        A task that is cancelled in the work gives it back too; one that is cancelled while the finished work is
        charged has paid for it.
        Errors: insufficient_credits, budget_cap_exceeded, invalid_api_key, busy; whatever the work raises.
        """
        holding = self.ledger.hold(account, price, request_id, expires_in_s=self.holds_for_in_s)
        hold = await outcome_of(holding, undo=self.ledger.release)
        charge = Charge(hold, hold.amount_in_millicredits)
        try:
            yield charge
            charge.amount_in_millicredits = await self._settle(charge)
        except Exception:
            # Who is told of the failure may look at the balance next. A release that fails is left to expire.
            with contextlib.suppress(Busy):
                await whatever_happens(self.ledger.release(hold))
            raise
        except BaseException:
            self.ledger.release(hold)
            raise

    async def _settle(self, charge: Charge) -> int:
        # The work is done, and to settle twice does no harm: a database that restarts is worth a second of waiting.
        for pause_in_s in _PAUSES_IN_S:
            try:
                return await whatever_happens(self.ledger.settle(charge.hold, charge.amount_in_millicredits))
            except Busy:
                await asyncio.sleep(pause_in_s)
        return await whatever_happens(self.ledger.settle(charge.hold, charge.amount_in_millicredits))
