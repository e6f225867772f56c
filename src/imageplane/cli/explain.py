"""`imageplane explain`: how a request would be done, without doing it, and what is seen on the way."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, TypeVar

import typer

from imageplane.cli.arguments import Input, read_json, reason, refuse_stdin_twice
from imageplane.cli.destination import write_whole
from imageplane.cli.exit import FAILED, cleanly
from imageplane.errors import ImageplaneError

if TYPE_CHECKING:
    from imageplane.codecs.formats import OutputFormat
    from imageplane.pipeline import Drawing, NamedCrop
    from imageplane.request import TransformRequest

_FORMATS: Final[dict[str, "OutputFormat"]] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}

_Answer = TypeVar("_Answer")


_Image = Annotated[str, typer.Argument(help="The image; - is stdin.", show_default=False)]
_Operations = Annotated[
    str,
    typer.Argument(
        help="A file with the operations as JSON, or the JSON itself: a list, or an object with operations or outputs.",
        show_default=False,
    ),
]
_Draw = Annotated[
    Path | None,
    typer.Option(
        help="Write the picture to this file (.png, .jpg, .webp) with what smart_crop sees and cuts drawn on it.",
        show_default=False,
    ),
]


def explain(image: _Image, operations: _Operations, draw: _Draw = None) -> None:
    """Print the plan for an image: what the decoder does already, which steps are left, what is encoded.

    Only the header of the image is read, in an engine; --draw does the work up to the last smart_crop. What was seen
    on several pictures, such as one before and one after a flip, is written to FILE-1, FILE-2 and so on.
    Exit code: 0 done, 1 the image failed, 2 wrong call.
    """
    source = Input(image)
    if draw is not None:
        _check(draw, source)
    raw = _read(source, operations)
    with cleanly():
        from imageplane.engine.pool import Pool  # noqa: PLC0415
        from imageplane.settings import load  # noqa: PLC0415

        settings = load()
        from imageplane.request import TransformRequest  # noqa: PLC0415
        from imageplane.transform import Transformer, options_of, outfit_of  # noqa: PLC0415

        with Pool.of(settings.engine.model_copy(update={"count": 1}), outfit_of(settings)) as pool:
            request = TransformRequest.parse(raw, settings.limits)
            if draw is not None:
                _require_look(request)
            transformer = Transformer(pool, options_of(settings))
            data = _done(image, lambda: source.source(settings.limits.max_source_in_bytes))
            text = _done(image, transformer.explain(data, request).result)
            for warning in request.warnings:
                typer.echo(f"warning: {warning}", err=True)
            typer.echo(text)
            if draw is not None:
                _write(draw, _done(image, transformer.draw(data, request, _FORMATS[draw.suffix.lower()]).result))


def _read(source: Input, operations: str) -> Any:
    is_json = operations.lstrip().startswith(("[", "{", "@"))
    text = operations if is_json else f"@{operations}"
    refuse_stdin_twice([source], text)
    raw = read_json(text, "OPERATIONS")
    return {"operations": raw} if isinstance(raw, list) else raw


def _check(draw: Path, source: Input) -> None:
    if draw.suffix.lower() not in _FORMATS:
        raise _bad(f"expected a file whose name ends with one of {', '.join(_FORMATS)}")
    if not source.is_stdin and draw.resolve() == Path(source.name).resolve():
        raise _bad("this is the image itself")


def _require_look(request: "TransformRequest") -> None:
    if not request.looks:
        raise _bad("there is nothing to draw: no operation is a smart_crop")


def _bad(message: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint="--draw")


def _done(name: str, work: Callable[[], _Answer]) -> _Answer:
    """Give what comes of work on an image, or say why nothing does and end."""
    try:
        return work()
    except OSError as error:
        _fail(f"{name}: can't be read: {reason(error)}")
    except ImageplaneError as error:
        _fail(f"{name}: {error.message}")


def _write(file: Path, drawings: "tuple[Drawing, ...]") -> None:
    for number, drawing in enumerate(drawings, 1):
        path = file if len(drawings) == 1 else file.with_stem(f"{file.stem}-{number}")
        try:
            write_whole(path, drawing.data)
        except OSError as error:
            _fail(f"{path} can't be written: {reason(error)}")
        typer.echo(f"drawn: {path}")
        for each in drawing.crops:
            typer.echo(f"  {_told(each)}")


def _told(each: "NamedCrop") -> str:
    crop, window = each.crop, each.crop.window
    seen = f"{len(crop.subjects)} subject{'' if len(crop.subjects) == 1 else 's'} seen"
    place = f"{window.width_in_px}×{window.height_in_px} at {window.left_in_px}, {window.top_in_px}"
    why = f"; {crop.fallback_reason}" if crop.fallback_reason else ""
    return f"{each.output}, operation {crop.operation_index}: {seen}, {crop.rule} decided, window {place}{why}"


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(FAILED)
