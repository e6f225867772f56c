"""`imageplane explain`: how a request would be done, without doing it."""

from typing import Annotated, Any, NoReturn

import typer

from imageplane.cli.arguments import Input, read_json, reason, refuse_stdin_twice
from imageplane.cli.exit import FAILED, cleanly
from imageplane.errors import ImageplaneError


def explain(
    image: Annotated[str, typer.Argument(help="The image; - is stdin.", show_default=False)],
    operations: Annotated[
        str,
        typer.Argument(
            help="A file with the operations as JSON, or the JSON itself: a list, or an object with operations or "
            "outputs.",
            show_default=False,
        ),
    ],
) -> None:
    """Print the plan for an image: what the decoder does already, which steps are left, what is encoded.

    Only the header of the image is read, in an engine. Exit code: 0 done, 1 the image failed, 2 wrong call.
    """
    source = Input(image)
    raw = _read(source, operations)
    with cleanly():
        from imageplane.engine.pool import Pool  # noqa: PLC0415
        from imageplane.settings import load  # noqa: PLC0415

        settings = load()
        from imageplane.transform import Transformer, TransformRequest, options_of, outfit_of  # noqa: PLC0415

        with Pool.of(settings.engine.model_copy(update={"count": 1}), outfit_of(settings)) as pool:
            request = TransformRequest.parse(raw, settings.limits)
            try:
                data = source.source(settings.limits.max_source_in_bytes)
                text = Transformer(pool, options_of(settings)).explain(data, request).result()
            except OSError as error:
                _fail(image, f"can't be read: {reason(error)}")
            except ImageplaneError as error:
                _fail(image, error.message)
    for warning in request.warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(text)


def _read(source: Input, operations: str) -> Any:
    is_json = operations.lstrip().startswith(("[", "{", "@"))
    text = operations if is_json else f"@{operations}"
    refuse_stdin_twice([source], text)
    raw = read_json(text, "OPERATIONS")
    return {"operations": raw} if isinstance(raw, list) else raw


def _fail(name: str, sentence: str) -> NoReturn:
    typer.echo(f"{name}: {sentence}", err=True)
    raise typer.Exit(FAILED)
