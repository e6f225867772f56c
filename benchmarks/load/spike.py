"""A product launch: thousands of requests at once, from clients that come again when they are told to."""

import asyncio
import random
import resource
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from benchmarks.load.asking import LAUNCH, WAYS, Request, new_idempotency_key
from benchmarks.load.client import Connections
from benchmarks.load.judging import Bench
from benchmarks.load.observer import Seen, observing
from benchmarks.load.patience import Attempt, Outcome, Patience, insist
from benchmarks.load.pictures import Picture
from benchmarks.load.server import Cpu, Server, serving
from benchmarks.load.spike_report import part_of
from benchmarks.load.stage import Part, Stage

# One upload in so many is a photo of a camera.
_ONE_LARGE_IN = 3
_MODELS = 30
# One request in so many is asked again when it is long done, as clients do whose reply got lost.
_ONE_REPEAT_IN = 50
_ORGANIZATION = "launch"


@dataclass(slots=True)
class Spike:
    """What came of it."""

    connections: int
    duration_in_s: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)
    repeats: list[Outcome] = field(default_factory=list)
    bench: Bench = field(default_factory=Bench)
    judged: int = 0
    seen: Seen = field(default_factory=Seen)
    cpu: Cpu = field(default_factory=lambda: Cpu(0, 0))
    client_cpu_in_s: float = 0.0
    picture_server_cpu_in_s: float = 0.0
    deadline_in_s: float = 0.0
    credits_before: float = 0.0
    credits_after: float = 0.0
    credits_at_command: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)


def run(stage: Stage) -> Part:
    """Start a server, have everyone come at once, and judge what they got."""
    with serving(stage.folder("spike")) as server:
        key = server.new_key(_ORGANIZATION, 2 * stage.sizes.requests + _MODELS)
        spike = asyncio.run(_spike(stage, server, key))
        spike.deadline_in_s = server.deadline_in_s
    bar = stage.progress.add_task("spike: judging the replies", total=None)
    spike.judged = spike.bench.judge()
    stage.progress.remove_task(bar)
    return part_of(spike)


async def _spike(stage: Stage, server: Server, key: str) -> Spike:
    spike = Spike(stage.sizes.connections)
    spike.bench.evidence = stage.evidence
    connections = Connections(server.port, stage.sizes.connections)
    for request in _models(stage, key):
        spike.bench.add(await insist(connections, request, Patience()), is_model=True)
    spike.credits_before = server.account(key)["credits"]
    cpu, own, pictures = server.cpu(), _own_cpu_in_s(), stage.picture_server.cpu_in_s()
    with observing(server.process.pid, server.port) as spike.seen:
        started = time.monotonic()
        await _all_at_once(stage, connections, requests_of(stage, stage.sizes.requests, key), spike)
        spike.duration_in_s = time.monotonic() - started
        spike.client_cpu_in_s = _own_cpu_in_s() - own
        spike.cpu = server.cpu() - cpu
        spike.picture_server_cpu_in_s = stage.picture_server.cpu_in_s() - pictures
    chosen = [each for each in spike.outcomes[::_ONE_REPEAT_IN] if each.request.idempotency_key and each.is_answered]
    spike.repeats = [await insist(connections, each.request, Patience()) for each in chosen]
    for repeat in spike.repeats:
        spike.bench.add(repeat)
    connections.close()
    spike.credits_after = server.account(key)["credits"]
    spike.credits_at_command = server.balances()[_ORGANIZATION]
    spike.metrics = server.metrics()
    return spike


async def _all_at_once(stage: Stage, connections: Connections, requests: Sequence[Request], spike: Spike) -> None:
    bar = stage.progress.add_task("spike", total=len(requests))

    def tell(attempt: Attempt) -> None:
        spike.statuses[attempt.status] += 1

    async def one(request: Request) -> None:
        outcome = await insist(connections, request, Patience(), tell)
        spike.bench.add(outcome)
        # The picture is kept by the bench, once for all that are the same.
        spike.outcomes.append(replace(outcome, picture=b"") if outcome.is_answered else outcome)
        told = ", ".join(f"{count} × {status}" for status, count in sorted(spike.statuses.items()))
        stage.progress.update(bar, advance=1, description=f"spike: {told}")

    await asyncio.gather(*(one(request) for request in requests))
    stage.progress.remove_task(bar)


def requests_of(stage: Stage, count: int, key: str, ways: Sequence[str] = WAYS) -> list[Request]:
    """Give so many requests: each upload is wanted in all sizes, and no two uploads are the same bytes."""
    chance = random.Random(473)  # noqa: S311 - the same requests in every run
    requests: list[Request] = []
    for number in range(-(-count // len(LAUNCH))):
        picture = chance.choice(stage.large if number % _ONE_LARGE_IN == 0 else stage.small)
        way, url = chance.choice(ways), stage.picture_server.url(picture, number)
        for wish in LAUNCH:
            idempotency_key = new_idempotency_key() if len(requests) % 2 else None
            requests.append(Request(picture, number, wish, way, key, idempotency_key, url))
    return requests[:count]


def _models(stage: Stage, key: str) -> list[Request]:
    pictures: list[Picture] = [*stage.large, *stage.small]
    step = max(1, len(pictures) * len(LAUNCH) // _MODELS)
    chosen = pictures[:: max(1, step)]
    return [Request(picture, 10**9 + picture.index, wish, "multipart", key) for picture in chosen for wish in LAUNCH]


def _own_cpu_in_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
