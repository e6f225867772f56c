"""What an engine holds with the detectors loaded, and what it gives back when it has nothing to do."""

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from absent import NO_WEIGHTS, WEIGHTS

from imageplane.engine.limits import data_memory_of
from imageplane.engine.pool import Pool
from imageplane.settings import ModelSettings, Settings
from imageplane.transform import Transformer, TransformRequest, options_of, outfit_of

pytestmark = pytest.mark.skipif(WEIGHTS is None, reason=NO_WEIGHTS)

MOST_IN_BYTES = 450_000_000
PHOTOS = (
    "j01_5760x3840_base.jpg",
    "j09_craft_beer_24mp_prog.jpg",
    "p03_derived_14mp.png",
    "w03_derived_16mp_q85.webp",
    "a01_p3_10bit_20mp.avif",
)
CROPS = TransformRequest.parse(
    {
        "outputs": [
            {"name": "small", "operations": [{"type": "smart_crop", "width_in_px": 200, "height_in_px": 200}]},
            {"name": "large", "operations": [{"type": "smart_crop", "width_in_px": 1200, "height_in_px": 630}]},
        ]
    }
)
CUT = TransformRequest.parse({"operations": [{"type": "remove_background"}]})
PATIENCE_IN_S = 30.0


@pytest.fixture
def transformer() -> Iterator[Transformer]:
    """Give an engine of its own, which rests soon."""
    assert WEIGHTS is not None
    settings = Settings.model_construct(models_dir=WEIGHTS, models=ModelSettings(idle_release_in_s=0.2))
    with Pool.of(settings.engine.model_copy(update={"count": 1}), outfit_of(settings)) as pool:
        yield Transformer(pool, options_of(settings))


def resident_in_bytes(transformer: Transformer) -> int:
    (engine,) = transformer.pool.engine_ids()
    return int(psutil.Process(engine).memory_info().rss)


def test_an_engine_with_its_detectors_is_small(corpus: Path, transformer: Transformer) -> None:
    for name in PHOTOS:
        transformer.transform(corpus / "speed" / name, CROPS).result(PATIENCE_IN_S)
        (engine,) = transformer.pool.engine_ids()
        assert resident_in_bytes(transformer) < MOST_IN_BYTES, name
        assert data_memory_of(engine) < MOST_IN_BYTES, name
    # It is still the same one that saw them all.
    assert transformer.pool.starts == 1


def test_heavy_networks_are_let_go_when_idle(corpus: Path, transformer: Transformer) -> None:
    photo = corpus / "subject" / "s142_example.jpg"
    transformer.transform(photo, CROPS).result(PATIENCE_IN_S)
    before = settled(transformer)
    transformer.transform(photo, CUT).result(PATIENCE_IN_S)
    with_network = resident_in_bytes(transformer)
    assert with_network > before
    after = settled(transformer)
    # A third of what came with the network may stay: code that is shared, and pieces between others.
    assert after < before + (with_network - before) / 3
    transformer.transform(photo, CUT).result(PATIENCE_IN_S)
    assert transformer.pool.starts == 1


def settled(transformer: Transformer) -> int:
    """Give what an engine holds once it has rested, waiting until that no longer falls."""
    until, last = time.monotonic() + PATIENCE_IN_S, resident_in_bytes(transformer)
    while time.monotonic() < until:
        time.sleep(0.6)
        now = resident_in_bytes(transformer)
        if now >= last:
            break
        last = now
    return last
