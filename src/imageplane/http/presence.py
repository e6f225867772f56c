"""Whether the caller still waits: work for one who has gone is dropped."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from starlette.requests import Request

# As nginx says it in its log; nobody receives it.
CLIENT_CLOSED_REQUEST: Final = 499

T = TypeVar("T")


class CallerLeft(Exception):
    """The caller closed the connection before there was a reply."""


async def while_wanted(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do work as long as the caller of a request, whose body was read, waits for it. Errors: `CallerLeft`."""
    doing, leaving = asyncio.create_task(work), asyncio.create_task(_has_left(request))
    try:
        await asyncio.wait((doing, leaving), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        doing.cancel()
        # What is past the point of no return, such as a charge for finished work, finishes.
        await asyncio.wait((doing,))
        raise CallerLeft
    finally:
        leaving.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait((doing,))
        if not doing.cancelled():
            # Read, so that asyncio doesn't complain of a failure that nobody is left for.
            doing.exception()


async def _has_left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
