"""Judging a storm: did every job end as it has to, was it told once, and paid once?"""

import asyncio
import base64
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from benchmarks.async_jobs import books as told
from benchmarks.async_jobs.customers import new_session
from benchmarks.async_jobs.orders import Order
from benchmarks.async_jobs.receiver import Message
from benchmarks.async_jobs.storm import Storm
from imageplane.settings import PriceSettings

_API: Final = "image_transformation"
_PAGE_AT_ONCE: Final = 8


@dataclass
class Judgement:
    """What is wrong, by the question that was asked; and the rows of all jobs."""

    ended: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    ledger: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    rows: dict[str, told.Row] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    links: int = 0

    @property
    def faults(self) -> list[str]:
        """Give all of it."""
        counted = (f"{count} × {fault}" for fault, count in (self.ended + self.delivered).items())
        return [*counted, *self.ledger, *self.left]


async def judge(storm: Storm) -> Judgement:
    """Compare what was handed in, the rows, the messages and the ledger; the server must be up, for links."""
    found = Judgement(
        rows=await asyncio.to_thread(told.jobs, storm.books.database),
        attempts=await asyncio.to_thread(told.attempts, storm.books.database),
    )
    found.ended.update(storm.customers.faults)
    found.delivered.update(storm.receiver.faults)
    _judge_rows(storm, found)
    messages: dict[int, list[Message]] = {}
    for message in storm.receiver.accepted.values():
        messages.setdefault(message.number, []).append(message)
    async with new_session() as session:
        turns = asyncio.Semaphore(_PAGE_AT_ONCE)

        async def one(order: Order) -> None:
            async with turns:
                await _judge_delivery(storm, found, order, messages.get(order.number, []), session)

        await asyncio.gather(*map(one, storm.orders))
    price = PriceSettings().transform_in_millicredits
    found.ledger = await asyncio.to_thread(told.ledger_faults, storm.books, found.rows, price)
    if storm.standing is None or not storm.standing.is_quiet:
        found.left.append(f"it never came to rest: {storm.standing}")
    deliveries = await asyncio.to_thread(told.deliveries, storm.books.database)
    more = sum(count > 1 for count in Counter(job_id for job_id, *_ in deliveries).values())
    if more:
        found.delivered["a job with several webhooks"] += more
    return found


def _judge_rows(storm: Storm, found: Judgement) -> None:
    known = {accepted.job_id for accepted in storm.customers.accepted.values()}
    if twice := len(storm.customers.accepted) - len(known):
        found.ended["two orders with one job"] += twice
    if strange := len(found.rows.keys() - known):
        found.ended["a job that no customer knows of"] += strange
    for order in storm.orders:
        accepted = storm.customers.accepted.get(order.number)
        row = found.rows.get(accepted.job_id) if accepted else None
        if row is None:
            found.ended["an order without a job"] += 1
            continue
        wanted = "failed" if order.has_to_fail else "succeeded"
        if row.status != wanted:
            found.ended[f"a job that {row.status} for {order.kind}: {row.error}"] += 1


async def _judge_delivery(
    storm: Storm, found: Judgement, order: Order, messages: list[Message], session: aiohttp.ClientSession
) -> None:
    if len(messages) != 1 or len(storm.receiver.ids[order.number]) != 1:
        ids = len(storm.receiver.ids[order.number])
        found.delivered[f"an order with {len(messages)} accepted messages under {ids} ids"] += 1
        return
    body = json.loads(messages[0].body)
    accepted = storm.customers.accepted.get(order.number)
    row = found.rows.get(accepted.job_id) if accepted else None
    if order.has_to_fail:
        said = json.loads(row.error)["message"] if row and row.error else None
        if not said or body != {"success": False, "api": _API, "error": {"message": said}}:
            found.delivered[f"a failure told wrong, {order.kind}: {messages[0].body[:200]!r}"] += 1
        return
    if body.get("success") is not True or body.get("api") != _API:
        found.delivered[f"a success told wrong, {order.kind}: {messages[0].body[:200]!r}"] += 1
        return
    await _judge_pictures(found, order, body["data"], session)


async def _judge_pictures(found: Judgement, order: Order, data: dict[str, Any], session: aiohttp.ClientSession) -> None:
    outputs = {each["name"]: each for each in data.get("outputs", [data | {"name": "image"}])}
    if outputs.keys() != {wanted.name for wanted in order.pictures}:
        found.delivered[f"outputs {sorted(outputs)} for {order.kind}"] += 1
        return
    for wanted in order.pictures:
        each = outputs[wanted.name]
        if ("url" in each) != (order.delivery == "link") or ("buffer" in each) == ("url" in each):
            found.delivered[f"not delivered as {order.delivery}"] += 1
            continue
        if "url" in each:
            found.links += 1
            async with session.get(each["url"]) as reply:
                picture = await reply.read()
                if reply.status != 200 or reply.content_type != wanted.mime_type:
                    found.delivered[f"a link answered {reply.status} {reply.content_type}: {picture[:100]!r}"] += 1
                    continue
        else:
            picture = base64.b64decode(each["buffer"], validate=True)
        told_of = (each["mime_type"], each["width_in_px"], each["height_in_px"], each["size_in_bytes"])
        if told_of != (wanted.mime_type, wanted.width_in_px, wanted.height_in_px, len(picture)):
            found.delivered[f"a message that says {told_of} of {wanted}"] += 1
        if fault := await asyncio.to_thread(wanted.fault, picture, order.color):
            found.delivered[fault] += 1
