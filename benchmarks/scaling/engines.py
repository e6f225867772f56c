"""What an image costs an engine: CPU by job and photo, and memory before and after each kind of work."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from statistics import mean
from typing import Any

import psutil

from benchmarks.load.stage import Part, table
from benchmarks.peers import ROOT
from benchmarks.photos import Photo
from benchmarks.scaling.clocks import cpu_in_s, memory_of
from benchmarks.scaling.work import JOBS, Job, Uploads
from imageplane.engine.pool import Pool
from imageplane.errors import ModelUnavailable
from imageplane.request import TransformRequest
from imageplane.settings import Settings, load
from imageplane.transform import Transformer, options_of, outfit_of

_SHARED_MODELS = ROOT.parent / "shared" / "models"


def part(photos: Sequence[Photo], step: Callable[[str], None]) -> Part:
    """Measure every job on every photo in one engine, one image after the other."""
    uploads = Uploads([photo.path for photo in photos])
    settings = _settings()
    figures: dict[str, Any] = {}
    memory: dict[str, Any] = {}
    with Pool.of(settings.engine.model_copy(update={"count": 1}), outfit_of(settings)) as pool:
        pool.confinement.result()
        engine = Engine(Transformer(pool, options_of(settings)), uploads)
        memory["fresh"] = asdict(memory_of([engine.process]))
        for job in JOBS.values():
            step(f"engine: {job.title}")
            try:
                figures[job.name] = engine.measure(job)
            except ModelUnavailable as error:
                figures[job.name] = {"skipped": error.message}
            memory[job.name] = asdict(memory_of([engine.process]))
    source = {"photos": [photo.name for photo in photos], "mean_size_in_bytes": round(uploads.mean_size_in_bytes)}
    found = {"source": source, "jobs": figures, "memory": memory}
    return Part("engines", "An image in an engine", found, list(_lines(figures, memory)))


class Engine:
    """One engine that does images one after the other."""

    def __init__(self, transformer: Transformer, uploads: Uploads) -> None:
        self._transformer = transformer
        self._uploads = uploads

    @property
    def process(self) -> psutil.Process:
        """The process of the engine that lives now."""
        (child,) = psutil.Process().children()
        return child

    def measure(self, job: Job) -> dict[str, Any]:
        """Give CPU seconds and bytes of an image by photo, after one image that is not counted."""
        request = TransformRequest.parse(job.spec)
        # What is loaded for the first image of a kind is not paid by the others.
        self._size_of(request, 0)
        process = self.process
        cpu, sizes = [], []
        for index in range(self._uploads.count):
            before = cpu_in_s(process)
            done = [self._size_of(request, index) for _ in range(job.rounds)]
            cpu.append(round((cpu_in_s(process) - before) / job.rounds, 4))
            sizes.append(round(mean(done)))
        return {"cpu_in_s": cpu, "sizes_in_bytes": sizes, "pictures": 1 if request.is_single else len(request.outputs)}

    def _size_of(self, request: TransformRequest, index: int) -> int:
        result = self._transformer.transform(self._uploads.next_of(index), request).result()
        return sum(len(picture.data) for picture in result.pictures)


def _settings() -> Settings:
    settings = load()
    if "IMAGEPLANE_MODELS_DIR" in os.environ or not _SHARED_MODELS.is_dir():
        return settings
    return settings.model_copy(update={"models_dir": _SHARED_MODELS})


def _lines(figures: Mapping[str, Any], memory: Mapping[str, Any]) -> list[str]:
    rows = []
    for name, found in figures.items():
        title, held = JOBS[name].title, memory[name]["proportional_in_mib"]
        if "skipped" in found:
            rows.append((title, f"skipped: {found['skipped']}", None, None, None, held))
            continue
        cpu, size = found["cpu_in_s"], mean(found["sizes_in_bytes"])
        most = max(cpu) * 1000
        rows.append((title, mean(cpu) * 1000, most, 1 / mean(cpu), round(size), held))
    head = ("job", "CPU ms a request, mean", "slowest photo", "requests/s of a core", "bytes out", "MiB afterwards")
    return [
        f"A fresh engine holds {memory['fresh']['proportional_in_mib']:.0f} MiB (proportional set).",
        "",
        *table(head, rows),
    ]
