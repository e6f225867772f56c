"""The transform route: come in, read, hold, fetch, run, reply, settle."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts.account import Account
from imageplane.accounts.claims import Reply
from imageplane.accounts.prices import price_of_transform
from imageplane.deadline import Deadline
from imageplane.errors import Busy, DeadlineExceeded, ImageplaneError
from imageplane.http import reading
from imageplane.http.auth import admitted
from imageplane.http.envelope import is_known, json_reply, raw_reply, wants_raw
from imageplane.http.later import accepted, is_for_later
from imageplane.http.listener import want_all
from imageplane.http.presence import CLIENT_CLOSED_REQUEST, CallerLeft, while_wanted
from imageplane.http.reading import Asked
from imageplane.http.repeatable import Keep, key_of, not_kept, repeatable
from imageplane.http.services import Services, services_of
from imageplane.http.visit import Visit, visit_of
from imageplane.sources import Base64Source
from imageplane.transform import Result

TRANSFORM_PATH = "/image-transformation/v1/transform"
# How much later than the deadline the engines may say that it has passed.
_GRACE_IN_S = 1.0


async def transform(request: Request) -> Response:
    """Transform one image: an ordered list of operations, or several outputs from one upload."""
    account = await admitted(request)
    key = key_of(request)
    async with _entered(request, account, wants_digest=key is not None) as work:
        do: Callable[[Keep], Coroutine[Any, Any, Reply]] = work.reply
        if is_for_later(request, work.asked):
            identity = None if key is None else key.encode() + work.digest()
            do = partial(accepted, request, account, work.asked, identity)
        if key is not None:
            # Who gave a key comes back for the reply, so the work goes on without a caller.
            return _response(request, await repeatable(request, account, key, work.digest(), do))
        try:
            return _response(request, await while_wanted(request, do(not_kept)))
        except CallerLeft:
            return Response(status_code=CLIENT_CLOSED_REQUEST)


@contextlib.asynccontextmanager
async def _entered(request: Request, account: Account, *, wants_digest: bool) -> AsyncIterator["Work"]:
    """Read a request when there is room for it; its file counts until the end of the block."""
    services, visit = services_of(request), visit_of(request)
    admission, organization_id = services.admission, account.organization_id
    arriving = Deadline.after(services.settings.http.deadline_in_s)
    size_in_bytes = reading.declared_size_in_bytes(request.headers)
    with contextlib.ExitStack() as held, admission.counted():
        started = time.perf_counter()
        async with admission.entered(organization_id, size_in_bytes, arriving):
            visit.timings_in_ms["door"] = _since(started)
            # How long a body takes to come is the affair of who sends it.
            left_in_s = arriving.remaining_in_s
            want_all(request.scope, services.settings.limits.max_body_in_bytes)
            with _timed(visit, "read"):
                asked = await reading.read(request, services.settings, wants_digest=wants_digest)
            if isinstance(asked.source, Base64Source):
                held.enter_context(admission.room.holding(asked.source.data, organization_id))
        is_raw = wants_raw(request.headers.get("accept", ""))
        yield Work(services, visit, account, asked, Deadline.after(left_in_s), is_raw=is_raw)


def _response(request: Request, reply: Reply) -> Response:
    headers = dict(reply.headers)
    if "ETag" in headers and is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
        # As for GET, since nothing is changed here that the caller would have to protect (RFC 9110, 13.1.2).
        del headers["Content-Type"]
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(reply.body, reply.status, headers)


class Work:
    """One request that was read, on its way to its reply."""

    def __init__(  # noqa: PLR0913 - what a request is made of
        self, services: Services, visit: Visit, account: Account, asked: Asked, deadline: Deadline, *, is_raw: bool
    ) -> None:
        self.services = services
        self.visit = visit
        self.account = account
        self.asked = asked
        self._deadline = deadline
        self._is_raw = is_raw

    def digest(self) -> bytes:
        """Give 32 bytes that tell this request from another: its body, and the kind of reply."""
        return hashlib.sha256((self.asked.digest or b"") + (b"image" if self._is_raw else b"json")).digest()

    async def reply(self, keep: Keep) -> Reply:
        """Do the work and charge for it; `keep` is called while the charge is still on hold."""
        services, visit = self.services, self.visit
        price = price_of_transform(services.settings.prices)
        started = time.perf_counter()
        async with services.meter.charged(self.account, price, visit.request_id) as charge:
            visit.timings_in_ms["hold"] = _since(started)
            with _timed(visit, "source"):
                data = await self._source()
            with services.admission.room.holding(data, self.account.organization_id):
                result = await self._result(data)
            visit.millicredits_charged = charge.amount_in_millicredits
            try:
                reply = self._written(result)
                await keep(reply)
            except BaseException:
                visit.millicredits_charged = 0
                raise
        visit.millicredits_charged = charge.amount_in_millicredits
        return reply

    async def _source(self) -> bytes:
        source = self.asked.source
        if isinstance(source, Base64Source):
            return source.data
        try:
            return await self.services.fetcher.fetch(
                source.url, source.fetch_options, self._deadline, scope=self.account.organization_id
            )
        except ImageplaneError as error:
            raise error.at("file.url") from None

    async def _result(self, data: bytes) -> Result:
        cache, wanted = self.services.cache, self.asked.request
        if cache is None:
            return await self._made(data)
        with _timed(self.visit, "cache"):
            name = await cache.name_of(self.account.organization_id, data, wanted)
            kept = await cache.get(name, wanted)
        # RFC 9211.
        self.visit.headers["Cache-Status"] = "Imageplane; hit" if kept else "Imageplane; fwd=miss"
        if kept is not None:
            return kept
        result = await self._made(data)
        cache.keep(name, wanted, result)
        return result

    async def _made(self, data: bytes) -> Result:
        started = time.perf_counter()
        future = self.services.transformer.transform(
            data, self.asked.request, self._deadline, self.account.organization_id
        )
        try:
            async with asyncio.timeout(self._deadline.remaining_in_s + _GRACE_IN_S):
                result = await asyncio.wrap_future(future)
        except TimeoutError:
            self._deadline.cancel()
            if future.cancelled():
                raise Busy("There was no engine for this in time; try again later.", retry_after_in_s=5) from None
            # The engines should have said so themselves.
            raise DeadlineExceeded("The image could not be finished within the time limit.") from None
        except asyncio.CancelledError:
            # Nobody waits any more: an engine that works on it stops.
            self._deadline.cancel()
            raise
        spent_in_ms = sum(result.timings_in_ms.values())
        self.visit.timings_in_ms["queue"] = round(max(0.0, _since(started) - spent_in_ms), 3)
        self.visit.timings_in_ms.update(result.timings_in_ms)
        return result

    def _written(self, result: Result) -> Reply:
        warnings = (*self.asked.warnings, *result.warnings[len(self.asked.request.warnings) :])
        self.visit.facts.update(source_format=result.source.format, outputs=len(result.pictures))
        write = raw_reply if self._is_raw else json_reply
        headers, body = write(result, warnings, self.visit, is_single=self.asked.request.is_single)
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
