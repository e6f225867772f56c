"""The engines alone, for comparison: `python -m benchmarks.bulk.in_process OUTPUTS FOLDER path|bytes`.

Every image of a folder goes through the engines, as many at a time as keep them busy; results are dropped.
"""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Final

from imageplane.engine.pool import Pool
from imageplane.request import TransformRequest
from imageplane.settings import load
from imageplane.transform import Result, Transformer, options_of, outfit_of

_IN_LINE_PER_ENGINE: Final = 3


def main() -> None:
    """Do all of it, and print how many there were."""
    outputs, folder, way = sys.argv[1:]
    settings = load()
    request = TransformRequest.parse({"outputs": json.loads(Path(outputs).read_text())}, settings.limits)
    paths = (path for path in sorted(folder_of(folder)) if path.is_file())
    done = 0
    with Pool.of(settings.engine, outfit_of(settings)) as pool:
        transformer = Transformer(pool, options_of(settings))
        running: set[Future[Result]] = set()
        for path in paths:
            running.add(transformer.transform(path if way == "path" else path.read_bytes(), request))
            if len(running) >= _IN_LINE_PER_ENGINE * settings.engine.count:
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                done += sum(bool(future.result().pictures) for future in finished)
        done += sum(bool(future.result().pictures) for future in running)
    print(json.dumps({"done": done}))


def folder_of(name: str) -> Iterator[Path]:
    """Give every file in a folder and below it that is not hidden."""
    return (path for path in Path(name).rglob("*") if not path.name.startswith("."))


if __name__ == "__main__":
    main()
