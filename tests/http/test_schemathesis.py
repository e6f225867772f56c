"""What the document says is what the server does: schemathesis derives requests from it, right and wrong ones.

The first run goes through all that can be derived one by one. `make fuzz` adds runs at random: `FUZZ_RUNS` with right
requests and as many with wrong ones, from the seed `FUZZ_SEED` on.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from picture_server import PictureServer
from server import Server, serving

from imageplane.codecs.heif import is_heic_available

HERE = Path(__file__).parent
SETTINGS = {
    "ENGINE__COUNT": "2",
    # Long lists take long to make up, and find nothing more.
    "LIMITS__MAX_OPERATIONS": "6",
    "LIMITS__MAX_PIXELS": "2000000",
    "SOURCES__ALLOW_HTTP": "true",
    "SOURCES__ALLOW_PRIVATE_NETWORKS": "true",
}


@dataclass(frozen=True)
class Run:
    """How requests are derived: in which phases, whether right or wrong, how many at random, from which seed."""

    phases: str
    mode: str
    examples: int
    seed: int
    routes: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        words = {"phases": self.phases, "mode": self.mode, "max-examples": self.examples, "seed": self.seed}
        named = [*words.items(), *(("include-operation-id", name) for name in self.routes)]
        return [part for name, value in named for part in (f"--{name}", str(value))]


FIRST_SEED = int(os.environ.get("FUZZ_SEED", "1"))
SEEDS = range(FIRST_SEED, FIRST_SEED + int(os.environ.get("FUZZ_RUNS", "0")))
RUNS = [
    Run("examples,coverage,fuzzing", "all", 25, FIRST_SEED),
    # The other routes take nothing that could be wrong.
    *(Run("fuzzing", mode, 250, seed, ("transform", "usage")) for seed in SEEDS for mode in ("positive", "negative")),
]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """Give what the hooks of the runs have to find, and pictures behind URLs."""
    with contextlib.closing(PictureServer()) as pictures:
        yield {
            **os.environ,
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)]),
            "PICTURES_URL": pictures.url,
        }


@pytest.fixture(scope="module")
def wide_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("fuzzed"), **SETTINGS) as server:
        yield server


@pytest.mark.skipif(not is_heic_available(), reason="a valid request for HEIF is refused here; HEIC=on runs this test")
@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.phases}-{run.mode}-{run.seed}")
def test_no_request_breaks_what_the_document_says(
    run: Run, wide_server: Server, environment: dict[str, str], tmp_path: Path
) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "--no-color"),
        *("run", f"{wide_server.url}/openapi.json", "-H", f"Authorization: Bearer {wide_server.key}"),
        *(*run.words, "--continue-on-failure", "--report", "json", "--report-json-path", str(tmp_path / "report.json")),
    ]
    # It leaves folders where it runs.
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    cases = json.loads((tmp_path / "report.json").read_text("utf-8"))["test_cases"]["generated"]
    sys.stdout.write(f"{cases:,} requests from {run}\n")
    assert cases >= (2_500 if "coverage" in run.phases else run.examples)
