"""The same spike for us and for other servers, one after the other, from clients that give up after a while."""

import asyncio
import contextlib
import io
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from PIL import Image

from benchmarks.goals import Verdict
from benchmarks.jobs import Wanted
from benchmarks.load.asking import LAUNCH, Request, Wish
from benchmarks.load.client import Connections, Reply
from benchmarks.load.observer import Seen, observing
from benchmarks.load.patience import COME_AGAIN
from benchmarks.load.pictures import Body
from benchmarks.load.rivals import RIVALS
from benchmarks.load.server import serving
from benchmarks.load.spike import requests_of
from benchmarks.load.stage import Part, Stage, percentiles_in_ms, table

_READ_BY_ALL: Final = {".jpg", ".jpeg", ".png", ".webp"}
_WANTED: Final = {wish.name: Wanted(wish.width_in_px, wish.height_in_px, "webp", 85, sigma=0.5) for wish in LAUNCH}


@dataclass(slots=True)
class Stand:
    """One server in the spike, and how it stood it."""

    label: str
    port: int
    process_id: int
    path: str
    message: Callable[[Request], Body]
    took_in_s: list[float] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    returns: int = 0
    duration_in_s: float = 0.0
    seen: Seen = field(default_factory=Seen)


def run(stage: Stage) -> Part:
    """Have everyone stand the same spike."""
    stands, skipped = [], {}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(stage.folder("spike")))
        key = server.new_key("launch", 2 * stage.sizes.peer_requests)
        ours = Stand("Imageplane", server.port, server.process.pid, "/health/live", Request.message)
        stands.append(_stood(stage, ours, key))
    for name, (missing, start) in RIVALS.items():
        if reason := missing():
            skipped[name] = reason
            continue
        with start(stage.folder(name), stage.picture_server) as rival:

            def message(request: Request, rival: Any = rival) -> Body:
                body: Body = rival.message(request.picture, request.number, _WANTED[request.wish.name], True)
                return body

            path = "/healthcheck" if name == "thumbor" else "/"
            stands.append(_stood(stage, Stand(rival.label, rival.port, rival.process.pid, path, message), key))
    figures = {"requests": stage.sizes.peer_requests, "skipped": skipped, "stands": [_figures(each) for each in stands]}
    faults = [f"{count} × {what}" for what, count in stands[0].troubles.items() if not what.startswith("gave up")]
    title = f"{stage.sizes.peer_requests:,} requests at once, for each server"
    return Part("rival_spikes", title, figures, list(_lines(figures, stage)), _verdicts(stands), faults)


def _stood(stage: Stage, stand: Stand, key: str) -> Stand:
    requests = requests_of(_readable(stage), stage.sizes.peer_requests, key, ("multipart",))
    asyncio.run(_stand(stage, stand, requests))
    return stand


def _readable(stage: Stage) -> Stage:
    large, small = (
        [picture for picture in pictures if picture.path.suffix.lower() in _READ_BY_ALL]
        for pictures in (stage.large, stage.small)
    )
    return Stage(stage.scratch, large, small, stage.picture_server, stage.progress, stage.sizes)


async def _stand(stage: Stage, stand: Stand, requests: Sequence[Request]) -> None:
    connections = Connections(stand.port, stage.sizes.connections)
    bar = stage.progress.add_task(f"spike: {stand.label}", total=len(requests))

    async def one(request: Request) -> None:
        await _one(stand, connections, request, stage.sizes.peer_patience_in_s)
        stage.progress.update(bar, advance=1)

    with observing(stand.process_id, stand.port, stand.path) as stand.seen:
        started = time.monotonic()
        await asyncio.gather(*(one(request) for request in requests))
        stand.duration_in_s = time.monotonic() - started
    connections.close()
    stage.progress.remove_task(bar)


async def _one(stand: Stand, connections: Connections, request: Request, patience_in_s: float) -> None:
    started = time.monotonic()
    try:
        async with asyncio.timeout(patience_in_s):
            reply = await _insisted(stand, connections, request)
    except TimeoutError:
        stand.troubles[f"gave up after {patience_in_s:g} s"] += 1
    except OSError as error:
        stand.troubles[f"no reply: {type(error).__name__}"] += 1
    else:
        trouble = f"status {reply.status}" if reply.status != 200 else _fault(bytes(reply.body), request.wish)
        if trouble is None:
            stand.took_in_s.append(time.monotonic() - started)
        else:
            stand.troubles[trouble] += 1


async def _insisted(stand: Stand, connections: Connections, request: Request) -> Reply:
    while True:
        async with connections.turns:
            reply = await connections.exchange(stand.message(request), float("inf"))
        if reply.status not in COME_AGAIN:
            return reply
        stand.returns += 1
        await asyncio.sleep(float(reply.headers.get("retry-after", 1)))


def _fault(picture: bytes, wish: Wish) -> str | None:
    # Only the head is read: the machine is busy enough.
    with Image.open(io.BytesIO(picture)) as image:
        return None if image.size == (wish.width_in_px, wish.height_in_px) else f"the size is {image.size}"


def _figures(stand: Stand) -> dict[str, Any]:
    return {
        "label": stand.label,
        "answered": len(stand.took_in_s),
        "duration_in_s": round(stand.duration_in_s, 1),
        "throughput_per_s": round(len(stand.took_in_s) / stand.duration_in_s, 2),
        "whole_wait_in_ms": percentiles_in_ms(stand.took_in_s),
        "returns": stand.returns,
        "troubles": dict(stand.troubles),
        "health": stand.seen.summary(),
    }


def _verdicts(stands: Sequence[Stand]) -> list[Verdict]:
    ours, *others = stands
    return [
        Verdict(
            f"answers more of a spike than {other.label} before clients give up",
            f"{len(ours.took_in_s):,} to {len(other.took_in_s):,}",
            len(ours.took_in_s) > len(other.took_in_s) or not ours.troubles,
        )
        for other in others
    ]


def _lines(figures: Mapping[str, Any], stage: Stage) -> Iterator[str]:
    yield (
        f"JPEG, PNG and WebP, the three sizes of the launch; at most {stage.sizes.connections:,} connections; a client "
        f"gives up after {stage.sizes.peer_patience_in_s:g} s. Imageplane looks for faces, people and animals, Sharp "
        "crops where it finds most to see, thumbor at the center: its detectors need more packages. Uploads as in the "
        "race. One server after the other, each fresh."
    )
    yield from ("", *(f"- {name}: **skipped**, {reason}" for name, reason in figures["skipped"].items()), "")
    head = ("", "answered", "a second", "p50 ms", "p95 ms", "p99 ms", "probe p99 ms", "peak MiB", "not answered")
    rows = []
    for stand in figures["stands"]:
        wait, health = stand["whole_wait_in_ms"], stand["health"]
        troubles = ", ".join(f"{count} × {what}" for what, count in stand["troubles"].items())
        times = (wait.get("p50"), wait.get("p95"), wait.get("p99"), health["probe_p99_in_ms"])
        row = (stand["label"], stand["answered"], stand["throughput_per_s"], *times)
        rows.append((*row, health["peak_resident_in_mib"], troubles or "–"))
    yield from table(head, rows)
