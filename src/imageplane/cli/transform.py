"""`imageplane transform`: images in, results on disk or on stdout."""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imageplane.cli.arguments import Input, read_json, reason, refuse_stdin_twice
from imageplane.cli.destination import Destination, write_to_stdout, write_whole
from imageplane.cli.exit import FAILED, cleanly
from imageplane.cli.report import Report
from imageplane.errors import ImageplaneError

if TYPE_CHECKING:
    from imageplane.request import TransformRequest
    from imageplane.settings import Settings
    from imageplane.transform import Result, Transformer

# Enough waiting images to keep the engines busy, and few enough results to hold.
_OPEN_PER_JOB = 4


_Images = Annotated[list[str], typer.Argument(help="Images to work on; - is stdin.", show_default=False)]
_Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        help="A file, a folder (several images, or a name that ends with a slash), or - for stdout. The suffix "
        "of a file chooses the format where no operation does.",
        show_default=False,
    ),
]
_Operations = Annotated[str | None, typer.Option(help="The operations as JSON, or @ and the name of a file with them.")]
_Outputs = Annotated[
    str | None,
    typer.Option(help='Several pictures of each image: [{"name": …, "operations": […]}, …], or @ and a file.'),
]
_Jobs = Annotated[int | None, typer.Option(help="How many images at once; one per core by default.")]
_DeadlineInS = Annotated[float | None, typer.Option(help="Seconds after which work on an image is given up.")]


def transform(  # noqa: PLR0913, PLR0917 - these are the options of the command
    images: _Images,
    output: _Output,
    operations: _Operations = None,
    outputs: _Outputs = None,
    jobs: _Jobs = None,
    deadline: _DeadlineInS = None,
) -> None:
    """Do operations on images, and write what comes of it.

    Results in a folder are named after their sources: <stem>.<suffix of the format>, or <stem>.<name>.<suffix>.
    A file appears whole or not at all. Exit code: 0 all done, 1 some images failed, 2 wrong call, 130 interrupted.
    """
    if operations is not None and outputs is not None:
        raise typer.BadParameter("give either --operations or --outputs", param_hint="--outputs")
    is_named = outputs is not None
    inputs = [Input(name) for name in images]
    refuse_stdin_twice(inputs, operations, outputs)
    destination = Destination.of(output, inputs, is_named=is_named)
    raw = {"outputs": read_json(outputs, "--outputs")} if outputs is not None else {"operations": _list(operations)}
    with cleanly():
        from imageplane.engine.pool import Pool  # noqa: PLC0415
        from imageplane.request import TransformRequest  # noqa: PLC0415
        from imageplane.settings import load  # noqa: PLC0415
        from imageplane.transform import Transformer, options_of, outfit_of  # noqa: PLC0415

        settings = _adjusted(load(), jobs, deadline, len(inputs))
        # The engines load the craft while this process reads the request.
        with Pool.of(settings.engine, outfit_of(settings)) as pool:
            request = destination.agreed(TransformRequest.parse(raw, settings.limits))
            transformer = Transformer(pool, options_of(settings))
            failed = _Run(destination, request, settings, inputs).run(transformer)
    if failed:
        raise typer.Exit(FAILED)


def _list(operations: str | None) -> Any:
    return [] if operations is None else read_json(operations, "--operations")


def _adjusted(settings: "Settings", jobs: int | None, deadline: float | None, images: int) -> "Settings":
    from pydantic import ValidationError  # noqa: PLC0415

    given = {"count": ("--jobs", jobs), "deadline_in_s": ("--deadline", deadline)}
    changed = {name: value for name, (_, value) in given.items() if value is not None}
    try:
        # The settings know their bounds.
        engine = type(settings.engine).model_validate(settings.engine.model_dump() | changed)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        option, value = given[str(fault["loc"][0])]
        expected = fault["msg"].removeprefix("Input should be ")
        raise typer.BadParameter(f"{value} is no value for it; expected {expected}", param_hint=option) from None
    engine = engine.model_copy(update={"count": min(engine.count, images)})
    return settings.model_copy(update={"engine": engine})


class _Run:
    """One call of the command: every input through the engines, every result to its place."""

    def __init__(
        self, destination: Destination, request: "TransformRequest", settings: "Settings", inputs: Sequence[Input]
    ) -> None:
        self._destination = destination
        self._request = request
        self._settings = settings
        self._inputs = inputs
        self._sources = {Path(source.name).resolve() for source in inputs if not source.is_stdin}

    def run(self, transformer: "Transformer") -> int:
        """Do everything, and give how many inputs failed."""
        for warning in self._request.warnings:
            typer.echo(f"warning: {warning}", err=True)
        self._make_folder()
        with Report(len(self._inputs)) as report:
            for source, outcome in self._outcomes(transformer):
                self._finish(source, outcome, report)
        return report.failed

    def _make_folder(self) -> None:
        if self._destination.kind == "folder":
            try:
                self._destination.path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                message = f"the folder {self._destination.path} can't be made: {reason(error)}"
                raise typer.BadParameter(message, param_hint="--output") from None

    def _outcomes(self, transformer: "Transformer") -> "Iterator[tuple[Input, Result | Exception]]":
        waiting = iter(self._inputs)
        most = _OPEN_PER_JOB * self._settings.engine.count
        running: dict[Future[Result], Input] = {}
        while True:
            while len(running) < most and (source := next(waiting, None)) is not None:
                try:
                    data = source.source(self._settings.limits.max_source_in_bytes)
                except OSError as error:
                    yield source, error
                else:
                    running[transformer.transform(data, self._request)] = source
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                error_of_work = future.exception()
                outcome = error_of_work if isinstance(error_of_work, Exception) else future.result()
                yield running.pop(future), outcome

    def _finish(self, source: Input, outcome: "Result | Exception", report: Report) -> None:
        if isinstance(outcome, OSError):
            report.fail(source.name, f"can't be read: {reason(outcome)}")
        elif isinstance(outcome, ImageplaneError):
            report.fail(source.name, outcome.message)
        elif isinstance(outcome, Exception):
            raise outcome
        else:
            self._write(source, outcome, report)

    def _write(self, source: Input, result: "Result", report: Report) -> None:
        for warning in result.warnings[len(self._request.warnings) :]:
            report.say(f"{source.name}: warning: {warning}")
        for picture in result.pictures:
            path = self._destination.path_of(source, picture, is_named=not self._request.is_single)
            try:
                self._put(path, picture.data)
            except OSError as error:
                report.fail(source.name, f"{path} can't be written: {reason(error)}")
                return
        report.succeed()

    def _put(self, path: Path, data: bytes) -> None:
        if self._destination.kind == "stdout":
            write_to_stdout(data)
        elif self._destination.kind == "folder" and path.resolve() in self._sources:
            raise FileExistsError(0, "it is one of the sources")
        else:
            write_whole(path, data)
