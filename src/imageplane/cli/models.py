"""`imageplane models`: see which networks are installed, and fetch what is missing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from imageplane.cli.books import print_table
from imageplane.cli.exit import FAILED, cleanly
from imageplane.errors import ModelUnavailable

if TYPE_CHECKING:
    from imageplane.models.card import Card, Weights
    from imageplane.models.pull import Progress

models = typer.Typer(help="Networks: see them and fetch them.", no_args_is_help=True, rich_markup_mode=None)

_Names = Annotated[
    list[str] | None, typer.Argument(help="Which networks; all when left out.", show_default=False, metavar="[NAME]…")
]
_Timeout = Annotated[float, typer.Option(min=1, max=86_400, help="Seconds after which fetching is given up.")]


@models.command("list")
def show() -> None:
    """Print every network, what it is for, and whether it is installed."""
    with cleanly():
        from imageplane.models import CARDS  # noqa: PLC0415 - networks take a moment to load
        from imageplane.models.store import Store  # noqa: PLC0415
        from imageplane.settings import load  # noqa: PLC0415

        folder = load().models_dir
    rows = [
        (
            card.name,
            "installed" if Store(folder).find(card) else "missing",
            _size(card.offered),
            card.licence,
            card.purpose,
        )
        for card in CARDS
    ]
    print_table(("NAME", "STATE", "SIZE", "LICENCE", "PURPOSE"), rows)
    typer.echo(f"They are looked for in {folder}.", err=True)


@models.command()
def pull(names: _Names = None, timeout: _Timeout = 600.0) -> None:
    """Fetch networks that are not installed yet; what broke off goes on where it was.

    Exit code: 0 all are installed, 1 some could not be fetched, 2 wrong call, 130 interrupted.
    """
    with cleanly():
        from imageplane.deadline import Deadline  # noqa: PLC0415
        from imageplane.models import pull as pulling  # noqa: PLC0415
        from imageplane.models.store import Store  # noqa: PLC0415
        from imageplane.settings import load  # noqa: PLC0415

        settings, deadline, has_failed = load(), Deadline.after(timeout), False
        origin = pulling.Origin(settings.models.mirror_url)
        for card in _chosen(names):
            weights = card.offered
            if Store(settings.models_dir).is_genuine(card):
                typer.echo(f"{card.name}: installed")
                continue
            try:
                with _bar(card.name, weights) as tell:
                    pulling.pull(weights, settings.models_dir, deadline, origin, tell)
            except ModelUnavailable as error:
                typer.echo(f"{card.name}: {error.message}", err=True)
                has_failed = True
            else:
                typer.echo(f"{card.name}: fetched, {_size(weights)}")
    if has_failed:
        raise typer.Exit(FAILED)


def _chosen(names: list[str] | None) -> "list[Card]":
    from imageplane.models import CARDS  # noqa: PLC0415

    cards = {card.name: card for card in CARDS}
    unknown = [name for name in names or () if name not in cards]
    if unknown:
        raise typer.BadParameter(f"there is no network {unknown[0]!r}; expected {', '.join(cards)}", param_hint="NAME")
    return [cards[name] for name in dict.fromkeys(names or cards)]


def _size(weights: "Weights") -> str:
    return f"{weights.size_in_bytes / 1e6:.1f} MB"


@contextmanager
def _bar(name: str, weights: "Weights") -> "Iterator[Progress]":
    """Give what is told how many bytes are here, and shows them on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn  # noqa: PLC0415

    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=weights.size_in_bytes)
        yield lambda count: bar.update(task, completed=count)
