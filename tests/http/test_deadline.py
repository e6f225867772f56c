"""A request ends in time, whatever becomes of the engines."""

import asyncio
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from banking import balance_of, new_account
from picture_server import PICTURES

from imageplane.accounts.books import Books
from imageplane.accounts.metering import Meter
from imageplane.accounts.prices import MILLICREDITS
from imageplane.deadline import Deadline
from imageplane.errors import Busy, DeadlineExceeded
from imageplane.http import transform
from imageplane.http.reading import Asked
from imageplane.http.visit import Visit
from imageplane.request import TransformRequest
from imageplane.settings import Settings
from imageplane.sources import Base64Source
from imageplane.sources.room import Room


class Stuck:
    """A transformer whose engines never answer."""

    def __init__(self) -> None:
        self.future: Future[Any] = Future()

    def transform(self, *_: object) -> "Future[Any]":
        return self.future


async def _kept(_reply: object) -> None:
    raise AssertionError("there is nothing to keep")


@pytest.mark.parametrize(("has_begun", "error"), [(True, DeadlineExceeded), (False, Busy)], ids=["at work", "in line"])
def test_engines_that_never_answer(
    sqlite_books: Books, monkeypatch: pytest.MonkeyPatch, has_begun: bool, error: type[Exception]
) -> None:
    monkeypatch.setattr(transform, "_GRACE_IN_S", 0.05)
    stuck, account, visit = Stuck(), new_account(sqlite_books, 1), Visit("stuck-1")
    if has_begun:
        stuck.future.set_running_or_notify_cancel()
    meter: Any = Meter(sqlite_books.ledger, 60)
    services: Any = SimpleNamespace(
        settings=Settings.model_construct(),
        meter=meter,
        transformer=stuck,
        admission=SimpleNamespace(room=Room()),
        cache=None,
    )
    request = TransformRequest.parse({"operations": []})
    asked = Asked(Base64Source(PICTURES["photo.png"], None), request, ())
    work = transform.Work(services, visit, account, asked, Deadline.after(0.1), is_raw=False)
    with pytest.raises(error):
        asyncio.run(work.reply(_kept))
    assert stuck.future.cancelled() is not has_begun
    assert balance_of(sqlite_books, account) == MILLICREDITS
    assert visit.millicredits_charged == 0
