"""Waiting for what a thread does, in a task that may be cancelled at any moment."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Outcome = TypeVar("Outcome")


async def outcome_of(future: Future[Outcome], *, undo: Callable[[Outcome], object]) -> Outcome:
    """Wait; when the waiting task is cancelled, the work is cancelled too, or undone once it is done."""
    try:
        return await asyncio.shield(asyncio.wrap_future(future))
    except asyncio.CancelledError:
        if not future.cancel():
            future.add_done_callback(lambda done: done.exception() is None and undo(done.result()))
        raise


async def whatever_happens(future: Future[Outcome]) -> Outcome:
    """Wait; when the waiting task is cancelled, the work is done all the same."""
    return await asyncio.shield(asyncio.wrap_future(future))
