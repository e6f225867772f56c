"""`imageplane serve`: the HTTP API on this machine."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from imageplane.cli.exit import cleanly

if TYPE_CHECKING:
    from imageplane.settings import Settings


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 is every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8000,
) -> None:
    """Serve the HTTP API until it is interrupted; what was accepted is finished first."""
    # The server takes a second to load; help and mistakes should not.
    from imageplane.accounts.books import Books  # noqa: PLC0415
    from imageplane.http.app import create_app  # noqa: PLC0415
    from imageplane.http.listener import listen  # noqa: PLC0415
    from imageplane.http.logs import configure  # noqa: PLC0415
    from imageplane.machine import share_one_heap  # noqa: PLC0415
    from imageplane.settings import load  # noqa: PLC0415

    share_one_heap()
    with cleanly():
        settings = load()
        configure(settings.http)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        books = Books.open(settings)
    key = books.first_start()
    for warning in (*settings.sources.warnings, *_missing_networks(settings)):
        typer.echo(f"Warning: {warning}", err=True)
    if key is not None:
        typer.echo(_welcome(key, f"http://{_reachable(host)}:{port}", settings))
    people = f" People sign in at http://{_reachable(host)}:{port}/dashboard." if settings.dashboard.enabled else ""
    typer.echo(f"Imageplane listens on http://{host}:{port}; its folder is {settings.data_dir}.{people}")
    listen(create_app(settings, books), host, port, grace_in_s=settings.http.deadline_in_s + 1)


def _missing_networks(settings: "Settings") -> tuple[str, ...]:
    from imageplane.models import CARDS  # noqa: PLC0415
    from imageplane.models.store import MENDING, Store  # noqa: PLC0415

    missing = [f"{card.name} ({card.purpose})" for card in CARDS if Store(settings.models_dir).find(card) is None]
    return (f"networks are missing: {', '.join(missing)}; `{MENDING}` fetches them.",) if missing else ()


def _welcome(key: str, url: str, settings: "Settings") -> str:
    from imageplane.cli.example import EXAMPLE_OPERATIONS, write_example  # noqa: PLC0415

    photo = settings.data_dir / "example.jpg"
    write_example(photo)
    command = [
        "curl", "-sS", f"{url}/image-transformation/v1/transform",
        "-H", f"Authorization: Bearer {key}", "-H", "Accept: image/*",
        "-F", f"file=@{photo}", "-F", f"operations={EXAMPLE_OPERATIONS}", "-o", "avatar.webp",
    ]  # fmt: skip
    return (
        f"\nYour API key, shown this once, with {settings.trial_credits:,} trial credits:\n\n  {key}\n\n"
        f"A first thumbnail, or put a photo of your own behind file=@:\n\n  {shlex.join(command)}\n"
    )


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
