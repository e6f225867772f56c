"""The command: `imageplane`. Heavy imports wait until a command needs them, so that help and version come at once."""

from importlib.metadata import version
from typing import Annotated

import typer

from imageplane.cli.bulk import bulk
from imageplane.cli.credits import credits_
from imageplane.cli.explain import explain
from imageplane.cli.health import health
from imageplane.cli.jobs import jobs
from imageplane.cli.keys import keys
from imageplane.cli.models import models
from imageplane.cli.serve import serve
from imageplane.cli.transform import transform
from imageplane.cli.users import users
from imageplane.cli.webhooks import webhooks
from imageplane.cli.worker import worker

app = typer.Typer(
    help="Image transformation: an ordered list of operations in, the right picture out.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Boxes break messages in the middle of names.
    rich_markup_mode=None,
)
app.command()(serve)
app.command()(worker)
app.command()(health)
app.command()(transform)
app.command()(explain)
app.add_typer(bulk, name="bulk")
app.add_typer(keys, name="keys")
app.add_typer(credits_, name="credits")
app.add_typer(jobs, name="jobs")
app.add_typer(models, name="models")
app.add_typer(users, name="users")
app.add_typer(webhooks, name="webhooks")


def _print_version(is_wanted: bool) -> None:  # noqa: FBT001
    if is_wanted:
        typer.echo(f"imageplane {version('imageplane')}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[  # noqa: FBT002
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Image transformation: an ordered list of operations in, the right picture out."""
