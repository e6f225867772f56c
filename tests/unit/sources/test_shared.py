"""Work that several callers wait for is done once, and ends when nobody waits any more."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from imageplane.sources.sharing import Shared


class Work:
    """Work that goes on until it is let go, and remembers what became of it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.started = self.finished = self.cancelled = 0
        self.let_go = asyncio.Event()
        self._error = error

    async def __call__(self) -> object:
        self.started += 1
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.finished += 1
        if self._error:
            raise self._error
        return object()


def run(body: Coroutine[Any, Any, None]) -> None:
    asyncio.run(body)


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_fifty_waiters_get_one_result() -> None:
    async def body() -> None:
        shared: Shared[object] = Shared()
        work = Work()
        waiters = [asyncio.create_task(shared.join("a", work)) for _ in range(50)]
        await turns()
        work.let_go.set()
        results = await asyncio.gather(*waiters)
        assert work.started == 1
        assert len(set(results)) == 1
        assert await shared.join("a", work) is not results[0], "nothing is kept"
        assert work.started == 2

    run(body())


def test_waiters_that_leave_harm_nobody_and_the_last_one_ends_the_work() -> None:
    async def body() -> None:
        shared: Shared[object] = Shared()
        work, next_work = Work(), Work()
        waiters = [asyncio.create_task(shared.join("a", work)) for _ in range(3)]
        await turns()
        waiters[0].cancel()
        waiters[1].cancel()
        await turns()
        assert [waiter.cancelled() for waiter in waiters] == [True, True, False]
        assert not work.cancelled
        waiters[2].cancel()
        # Whoever comes now must not be given the work that is being ended.
        late = asyncio.create_task(shared.join("a", next_work))
        await turns()
        assert work.cancelled == 1
        assert next_work.started == 1
        next_work.let_go.set()
        assert await late

    run(body())


def test_a_failure_is_everyones_and_is_not_kept() -> None:
    async def body() -> None:
        shared: Shared[object] = Shared()
        work = Work(ValueError("no"))
        waiters = [asyncio.create_task(shared.join("a", work)) for _ in range(3)]
        await turns()
        work.let_go.set()
        assert [type(result) for result in await asyncio.gather(*waiters, return_exceptions=True)] == [ValueError] * 3
        with pytest.raises(ValueError, match="no"):
            await shared.join("a", work)
        assert work.started == 2

    run(body())


def test_other_keys_are_other_work() -> None:
    async def body() -> None:
        shared: Shared[object] = Shared()
        works = [Work(), Work()]
        waiters = [asyncio.create_task(shared.join(key, work)) for key, work in enumerate(works)]
        await turns()
        assert [work.started for work in works] == [1, 1]
        works[1].let_go.set()
        await waiters[1]
        assert not waiters[0].done()
        await shared.close()
        assert works[0].cancelled == 1
        assert (await asyncio.gather(waiters[0], return_exceptions=True))[0].__class__ is asyncio.CancelledError

    run(body())
