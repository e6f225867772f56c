"""`imageplane bulk run`: one recipe for a whole library, resumable, nothing made twice."""

from pathlib import Path
from typing import Annotated, Any

import typer

from imageplane.cli.arguments import read_json
from imageplane.cli.exit import cleanly

bulk = typer.Typer(help="Do the same to every image of a library.", no_args_is_help=True, rich_markup_mode=None)

_Source = Annotated[
    str,
    typer.Argument(
        help="A folder, an s3://, gs:// or az:// address, or a manifest: a .jsonl file with one object a line, such "
        'as {"url": "https://…"}, {"path": "…"} or {"key": "…"}, and "name", if its outputs shall have another.',
        show_default=False,
    ),
]
_To = Annotated[str, typer.Option("--to", help="A folder or an address for the outputs.", show_default=False)]
_Outputs = Annotated[
    str | None,
    typer.Option(help='A file with [{"name": …, "operations": […]}, …], or the JSON itself.', show_default=False),
]
_Operations = Annotated[
    str | None, typer.Option(help="In place of --outputs, the operations of the only output.", show_default=False)
]
_From = Annotated[
    str | None, typer.Option("--from", help="The store that the keys of a manifest are in.", show_default=False)
]
_Report = Annotated[
    Path | None, typer.Option(help="Write a line of JSON for every image that failed.", show_default=False)
]
_Verify = Annotated[bool, typer.Option("--verify", help="Look for outputs made before, and make those that are gone.")]


@bulk.callback()
def _bulk() -> None:
    """Do the same to every image of a library."""


@bulk.command()
def run(  # noqa: PLR0913, PLR0917 - these are the options of the command
    source: _Source,
    to: _To,
    outputs: _Outputs = None,
    operations: _Operations = None,
    store: _From = None,
    report: _Report = None,
    verify: _Verify = False,  # noqa: FBT002
) -> None:
    """Make outputs of every image of a folder, a store or a manifest.

    An output is named after its source: photo.jpg becomes photo.jpg.<name>.<suffix of the format>. What earlier runs
    have made is skipped, however they ended, unless the image or what is made of it has changed. Exit code: 0 all
    done, 1 some images failed, 2 wrong call, 130 interrupted.
    """
    raw = _wish(outputs, operations)
    with cleanly():
        from imageplane.cli.bulk_call import Call  # noqa: PLC0415
        from imageplane.settings import load  # noqa: PLC0415

        code = Call.of(load(), raw, source, to, store, is_thorough=verify).run(report)
    if code:
        raise typer.Exit(code)


def _wish(outputs: str | None, operations: str | None) -> dict[str, Any]:
    if (outputs is None) == (operations is None):
        raise typer.BadParameter("give either --outputs or --operations", param_hint="--outputs")
    option, text = ("--outputs", outputs) if outputs is not None else ("--operations", operations or "")
    is_json = text.lstrip().startswith(("[", "{", "@"))
    raw = read_json(text if is_json else f"@{text}", option)
    return raw if isinstance(raw, dict) else {option.removeprefix("--"): raw}
