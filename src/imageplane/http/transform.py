"""The transform route: read, hold, fetch, run, reply, settle."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts.account import Account
from imageplane.accounts.claims import Reply
from imageplane.accounts.prices import price_of_transform
from imageplane.deadline import Deadline
from imageplane.errors import DeadlineExceeded, ImageplaneError
from imageplane.http import reading
from imageplane.http.auth import admitted
from imageplane.http.envelope import json_reply, raw_reply, wants_raw
from imageplane.http.failures import failure
from imageplane.http.reading import Asked
from imageplane.http.services import Services, services_of
from imageplane.http.visit import Visit, visit_of
from imageplane.sources import Base64Source
from imageplane.transform import Result

TRANSFORM_PATH = "/image-transformation/v1/transform"
# How much later than the deadline the engines may say that it has passed.
_GRACE_IN_S = 1.0


async def transform(request: Request) -> Response:
    """Transform one image: an ordered list of operations, or several outputs from one upload."""
    services, visit = services_of(request), visit_of(request)
    account = await admitted(request)
    with _timed(visit, "read"):
        asked = await reading.read(request, services.settings.limits)
    work = _Work(services, visit, account, asked, is_raw=wants_raw(request.headers.get("accept", "")))
    key = request.headers.get("idempotency-key")
    if key is None:
        return _response(await work.reply(_not_kept))
    begun = await services.books.idempotency.begin(
        account.organization_id, key, await asyncio.to_thread(work.digest), runs_for_in_s=services.runs_for_in_s
    )
    if isinstance(begun, Reply):
        visit.headers["Idempotent-Replayed"] = "true"
        return _response(begun)
    try:
        return _response(await work.reply(lambda reply: services.books.idempotency.finish(begun, reply)))
    except ImageplaneError as error:
        # Only here the failure becomes a reply that may have to be kept.
        response = failure(error, visit)
        headers = tuple((name, value) for name, value in response.headers.items() if name != "content-length")
        await services.books.idempotency.finish(begun, Reply(response.status_code, headers, bytes(response.body)))
        return response
    except BaseException:
        services.books.idempotency.abandon(begun)
        raise


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers))


async def _not_kept(_reply: Reply) -> None:
    return


class _Work:
    """One request that was read, on its way to its reply."""

    def __init__(self, services: Services, visit: Visit, account: Account, asked: Asked, *, is_raw: bool) -> None:
        self._services = services
        self._visit = visit
        self._account = account
        self._asked = asked
        self.is_raw = is_raw

    def digest(self) -> bytes:
        """Give 32 bytes that tell this request from another: its body, and the kind of reply."""
        return hashlib.sha256(self._asked.digest() + (b"image" if self.is_raw else b"json")).digest()

    async def reply(self, keep: Callable[[Reply], Awaitable[None]]) -> Reply:
        """Do the work and charge for it; `keep` is called while the charge is still on hold."""
        services, visit = self._services, self._visit
        deadline = Deadline.after(services.settings.http.deadline_in_s)
        price = price_of_transform(services.settings.prices)
        started = time.perf_counter()
        async with services.meter.charged(self._account, price, visit.request_id) as charge:
            visit.timings_in_ms["hold"] = _since(started)
            with _timed(visit, "source"):
                data = await self._source(deadline)
            result = await self._result(data, deadline)
            visit.millicredits_charged = charge.amount_in_millicredits
            try:
                reply = self._written(result)
                await keep(reply)
            except BaseException:
                visit.millicredits_charged = 0
                raise
        visit.millicredits_charged = charge.amount_in_millicredits
        return reply

    async def _source(self, deadline: Deadline) -> bytes:
        source = self._asked.source
        if isinstance(source, Base64Source):
            return source.data
        try:
            return await self._services.fetcher.fetch(
                source.url, source.fetch_options, deadline, scope=self._account.organization_id
            )
        except ImageplaneError as error:
            raise error.at("file.url") from None

    async def _result(self, data: bytes, deadline: Deadline) -> Result:
        started = time.perf_counter()
        future = self._services.transformer.transform(data, self._asked.request, deadline)
        try:
            async with asyncio.timeout(deadline.remaining_in_s + _GRACE_IN_S):
                result = await asyncio.wrap_future(future)
        except TimeoutError:
            # The engines should have said so themselves.
            deadline.cancel()
            raise DeadlineExceeded("The image could not be finished within the time limit.") from None
        except asyncio.CancelledError:
            # Nobody waits any more: an engine that works on it stops.
            deadline.cancel()
            raise
        spent_in_ms = sum(result.timings_in_ms.values())
        self._visit.timings_in_ms["queue"] = round(max(0.0, _since(started) - spent_in_ms), 3)
        self._visit.timings_in_ms.update(result.timings_in_ms)
        return result

    def _written(self, result: Result) -> Reply:
        warnings = (*self._asked.warnings, *result.warnings[len(self._asked.request.warnings) :])
        self._visit.facts.update(source_format=result.source.format, outputs=len(result.pictures))
        write = raw_reply if self.is_raw else json_reply
        headers, body = write(result, warnings, self._visit, is_single=self._asked.request.is_single)
        return Reply(HTTPStatus.OK, headers, body)


@contextlib.contextmanager
def _timed(visit: Visit, stop: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        visit.timings_in_ms[stop] = _since(started)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
