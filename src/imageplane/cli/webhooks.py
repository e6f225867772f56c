"""`imageplane webhooks`: what webhooks are signed with."""

from typing import Annotated

import typer

from imageplane.cli.books import changing_books, chosen_organization

webhooks = typer.Typer(
    help="Webhooks: what they are signed with.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)

_Organization = Annotated[
    str | None, typer.Option(help="Which organization; may be left out when there is only one.", show_default=False)
]


@webhooks.command()
def secret(organization: _Organization = None) -> None:
    """Print the secret that webhooks are signed with; it is made when there is none yet.

    Exit code: 0 done, 1 the database failed, 2 wrong call.
    """
    with changing_books() as (_, connection):
        from imageplane.database.stamps import now_in_ms  # noqa: PLC0415
        from imageplane.jobs.secrets import that_sign  # noqa: PLC0415

        owner = chosen_organization(connection, organization)
        current = that_sign(connection, [owner.id], now_in_ms())[owner.id][0]
    typer.echo(current.text)


@webhooks.command()
def rotate(organization: _Organization = None) -> None:
    """Sign with a new secret from now on, and print it. For a day the one before signs too.

    Exit code: 0 done, 1 the database failed, 2 wrong call.
    """
    with changing_books() as (_, connection):
        from imageplane.database.stamps import now_in_ms  # noqa: PLC0415
        from imageplane.jobs.secrets import rotate as rotate_secret  # noqa: PLC0415

        owner = chosen_organization(connection, organization)
        current, *others = rotate_secret(connection, owner.id, now_in_ms())
    if others:
        typer.echo(f"For 24 hours webhooks of {owner.name} are signed with the secret before this one too:", err=True)
    typer.echo(current.text)
