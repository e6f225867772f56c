"""`imageplane credits`: give credits to organizations, and see what they have."""

from typing import Annotated

import typer

from imageplane.cli.books import changing_books, chosen_organization, print_table

credits_ = typer.Typer(help="Credits: give them, and see what is left.", no_args_is_help=True, rich_markup_mode=None)

_Organization = Annotated[
    str | None, typer.Option(help="Which organization; may be left out when there is only one.", show_default=False)
]


@credits_.command()
def grant(
    amount: Annotated[
        int, typer.Argument(min=1, max=1_000_000_000, help="How many credits.", show_default=False, metavar="CREDITS")
    ],
    organization: _Organization = None,
) -> None:
    """Give credits to an organization. Exit code: 0 done, 1 the database failed, 2 wrong call."""
    with changing_books() as (_, connection):
        from imageplane.accounts.ledger import grant as grant_credits  # noqa: PLC0415
        from imageplane.accounts.prices import MILLICREDITS, in_credits  # noqa: PLC0415

        owner = chosen_organization(connection, organization)
        balance = grant_credits(connection, owner.id, amount * MILLICREDITS, "command line")
    typer.echo(f"{owner.name} has {in_credits(balance)} credits now.")


@credits_.command()
def show(organization: _Organization = None) -> None:
    """Print what organizations have left; what requests that run hold is not in it."""
    with changing_books() as (_, connection):
        from imageplane.accounts.organizations import every  # noqa: PLC0415
        from imageplane.accounts.prices import in_credits  # noqa: PLC0415

        found = every(connection) if organization is None else (chosen_organization(connection, organization),)
    print_table(
        ("ORGANIZATION", "CREDITS"), [(owner.name, in_credits(owner.balance_in_millicredits)) for owner in found]
    )
    if not found:
        typer.echo("There are no organizations; make one with: imageplane keys create --name NAME", err=True)
