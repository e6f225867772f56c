"""An engine that was taken over finds no network, no files, no other processes; one that works misses nothing."""

import io
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import busy_library
import encoded
import escapes
import misdeeds
import numpy as np
import pytest
from absent import NO_HEIC
from drawings import svg
from PIL import Image

from imageplane.codecs.heif import is_heic_available
from imageplane.engine.confinement import confine
from imageplane.engine.pool import Pool
from imageplane.engine.terms import Outfit
from imageplane.errors import EngineCrashed
from imageplane.pipeline import Options
from imageplane.request import TransformRequest
from imageplane.transform import Transformer, transform_bytes

if sys.platform != "linux":
    pytest.skip("only Linux can confine a process as engines are", allow_module_level=True)

TESTS = Path(misdeeds.__file__).parent
LIMITS: dict[str, Any] = {"count": 1, "deadline_in_s": 60, "memory_in_bytes": 900_000_000, "recycle_after": 1000}
PATIENCE_IN_S = 60
NUMBERS = itertools.count()
# A network of one operator, `y = x + x` on two numbers, as an ONNX file.
DOUBLING = bytes.fromhex(
    "08084202100d3a390a0e0a01780a017812017922034164641205677261706"
    "85a0f0a0178120a0a08080112040a020802620f0a0179120a0a08080112040a020802"
)


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        yield


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "weights.bin").write_bytes(b"121 x 473")
    return folder


@pytest.fixture(scope="module")
def pool(importable: None, models: Path) -> Iterator[Pool]:  # noqa: ARG001
    with Pool(**LIMITS, outfit=Outfit(readable=(models, models / "absent"))) as pool:
        yield pool


@pytest.fixture(scope="module")
def filtered(pool: Pool) -> Pool:
    if "(seccomp)" not in pool.confinement.result(PATIENCE_IN_S):
        pytest.skip("the kernel has no seccomp filters, which stop system calls")
    return pool


@pytest.fixture(scope="module")
def fenced(pool: Pool) -> Pool:
    if "(Landlock" not in pool.confinement.result(PATIENCE_IN_S):
        pytest.skip("the kernel has no Landlock, which keeps engines from reading files")
    return pool


def attempt(pool: Pool, name: str) -> Any:
    return pool.submit(escapes.attempt, f"attempt {next(NUMBERS)}".encode(), name).result(PATIENCE_IN_S)


@pytest.mark.parametrize("name", escapes.CALLS)
def test_what_decoding_does_not_need_is_refused(filtered: Pool, name: str) -> None:
    assert attempt(filtered, name) in ("EPERM", "ENOSYS")
    assert not Path(escapes.HERE).exists()


@pytest.mark.parametrize("name", escapes.READING)
def test_files_that_decoding_does_not_need_are_refused(fenced: Pool, name: str) -> None:
    assert attempt(fenced, name) == "EACCES"


@pytest.mark.parametrize("name", escapes.FATAL)
def test_what_only_an_intruder_does_ends_the_engine(filtered: Pool, name: str) -> None:
    before = filtered.tally().deaths.get("sigsys", 0)
    with pytest.raises(EngineCrashed):
        attempt(filtered, name)
    assert filtered.tally().deaths["sigsys"] == before + 1


@pytest.mark.parametrize("name", escapes.HARMLESS)
def test_what_libraries_need_works(pool: Pool, name: str) -> None:
    assert attempt(pool, name) == "done"


def test_what_an_engine_is_to_read_can_be_read(pool: Pool, models: Path) -> None:
    read = pool.submit(misdeeds.contents_of, b"", str(models / "weights.bin"))
    assert read.result(PATIENCE_IN_S) == b"121 x 473"


def test_an_unconfined_engine_is_open_and_says_so() -> None:
    with Pool(**LIMITS, outfit=Outfit(confined=False)) as pool:
        assert pool.submit(escapes.attempt, b"", "read accounts").result(PATIENCE_IN_S) == "done"
        assert "switched off" in pool.confinement.result(PATIENCE_IN_S)


def test_an_engine_whose_libraries_run_threads_says_that_files_are_open() -> None:
    with Pool(**LIMITS, outfit=Outfit(on_idle=busy_library.rest)) as pool:
        assert "every file of the server can be read" in pool.confinement.result(PATIENCE_IN_S)
        assert pool.submit(misdeeds.echo, b"", 1).result(PATIENCE_IN_S) == 1


def test_an_engine_works_where_the_kernel_lacks_everything_and_says_so(filtered: Pool, fenced: Pool) -> None:
    assert filtered is fenced
    words = filtered.submit(escapes.confine_again, b"").result(PATIENCE_IN_S)
    for lack in ("seccomp is not to be had", "Landlock is not to be had", "privileges can be gained"):
        assert lack in words
    assert filtered.submit(misdeeds.echo, b"", 1).result(PATIENCE_IN_S) == 1


def test_an_unknown_processor_is_not_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert confine(()) == "nothing: it takes Linux on x86-64 or 64-bit ARM"


def test_networks_run(pool: Pool) -> None:
    assert pool.submit(misdeeds.run_network, DOUBLING, [1.0, 2.5]).result(PATIENCE_IN_S) == [2.0, 5.0]


def wide_gamut() -> bytes:
    primaries = np.array([[0.61, 0.2, 0.15], [0.31, 0.63, 0.06], [0.02, 0.06, 0.74]])
    return encoded.matrix_profile(primaries, 2.2)


def heic() -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason=NO_HEIC)
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(PHOTO)).save(stream, quality=80)
    return stream.getvalue()


PHOTO = np.random.default_rng(121).integers(0, 256, (97, 131, 3), dtype=np.uint8)
SOURCES = {
    "jpeg": lambda: encoded.saved(PHOTO, "JPEG", quality=90),
    "progressive jpeg": lambda: encoded.saved(PHOTO, "JPEG", quality=90, progressive=True),
    "cmyk jpeg": lambda: encoded.written(Image.fromarray(PHOTO).convert("CMYK"), "JPEG"),
    "large jpeg": lambda: encoded.saved(np.tile(PHOTO, (12, 12, 1)), "JPEG", quality=80),
    "png": lambda: encoded.saved(PHOTO, "PNG"),
    "png with a profile": lambda: encoded.saved(PHOTO, "PNG", icc_profile=wide_gamut()),
    "webp": lambda: encoded.saved(PHOTO, "WEBP", quality=90),
    "animated webp": lambda: encoded.animation([PHOTO, PHOTO[::-1]], "WEBP", [40, 70]),
    "animated gif": lambda: encoded.animation([PHOTO, PHOTO[::-1]], "GIF", [40, 70]),
    "avif": lambda: encoded.saved(PHOTO, "AVIF", quality=80),
    "large avif": lambda: encoded.saved(np.tile(PHOTO, (13, 13, 1)), "AVIF", quality=40, speed=10),
    "tiff": lambda: encoded.saved(PHOTO, "TIFF"),
    "bmp": lambda: encoded.saved(PHOTO, "BMP"),
    "svg": lambda: svg('<text x="3" y="15" font-family="serif" font-size="9">12 &#228;</text><circle r="9"/>'),
    "heif": heic,
}
TARGETS = ("png", "jpeg", "webp", "avif", "heif", None)


@pytest.mark.parametrize("name", SOURCES)
def test_every_format_is_read_and_written_as_without_confinement(pool: Pool, tmp_path: Path, name: str) -> None:
    data = SOURCES[name]()
    file = tmp_path / "source"
    file.write_bytes(data)
    size = {"type": "resize", "width_in_px": 40, "height_in_px": 30, "fit": "cover"}
    for target in TARGETS:
        if target == "heif" and not is_heic_available():
            continue
        wanted = [size, *([{"type": "convert", "format": target}] if target else [])]
        request = TransformRequest.parse({"operations": wanted})
        source = file if target == "png" else data
        result = Transformer(pool, Options()).transform(source, request).result(PATIENCE_IN_S)
        assert result.picture == transform_bytes(data, wanted).picture
