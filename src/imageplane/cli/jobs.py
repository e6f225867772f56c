"""`imageplane jobs`: what became of requests that are answered later, and how to end or repeat them."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from imageplane.cli.books import chosen_organization, opened_books, print_table

if TYPE_CHECKING:
    from imageplane.accounts.books import Books
    from imageplane.jobs.desk import Desk
    from imageplane.jobs.job import Job

jobs = typer.Typer(
    help="Jobs: what became of them, and how to end or repeat them.", no_args_is_help=True, rich_markup_mode=None
)

_Id = Annotated[str, typer.Argument(help="The id of a job.", show_default=False, metavar="ID")]


class Standing(StrEnum):
    """How a job can stand."""

    queued = "queued"
    running = "running"
    succeeded = "succeeded"
    failed = "failed"
    cancelled = "cancelled"


@jobs.command(name="list")
def list_(
    status: Annotated[
        Standing | None, typer.Option(help="Only those that stand so; what failed for good is failed.")
    ] = None,
    organization: Annotated[
        str | None, typer.Option(help="Which organization; may be left out when there is only one.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 20,
) -> None:
    """Print the latest jobs, the latest first; of those that failed with the reason.

    Exit code: 0 done, 1 the database failed, 2 wrong call.
    """
    with opened_books() as (books, _):
        from imageplane.jobs import rows  # noqa: PLC0415

        with books.database.reading() as connection:
            owner = chosen_organization(connection, organization)
            found = rows.listed(connection, owner.id, status, rows.NEWEST, limit)
    head = ("ID", "API", "STATUS", "CREATED", "ATTEMPTS", "REASON")
    print_table(head, [(*_row(job), job.failure.message if job.failure else "") for job in found])
    if not found:
        which = f"{status} " if status else ""
        typer.echo(f"{owner.name} has no {which}jobs.", err=True)


@jobs.command()
def show(job_id: _Id) -> None:
    """Print what became of a job. Exit code: 0 done, 1 the database failed, 2 there is no such job."""
    with _at_desk() as (books, desk):
        from imageplane.accounts import organizations  # noqa: PLC0415

        job = _job_of(desk, job_id)
        with books.database.reading() as connection:
            owner = organizations.of_id(connection, job.organization_id).name
        lines = _facts(job, owner)
    width = max(len(name) for name, _ in lines) + 2
    for name, value in lines:
        typer.echo(f"{name.ljust(width)}{value}")


@jobs.command()
def replay(job_id: _Id) -> None:
    """Do a job that has ended once more, and send its webhook again; the key that paid for it pays again.

    Exit code: 0 done, 1 the database failed, 2 it can't be done again, and why.
    """
    with _at_desk() as (_, desk):
        import asyncio  # noqa: PLC0415

        from imageplane.accounts.account import Account  # noqa: PLC0415
        from imageplane.errors import InvalidKey, RequestError  # noqa: PLC0415

        job = _job_of(desk, job_id)
        try:
            asyncio.run(desk.replay(Account(job.organization_id, "", job.key_id, ""), job.id))
        except InvalidKey:
            told = "The key of the job is revoked or expired; replay it over the API, with another key."
            raise RequestError(told) from None
    typer.echo(f"The job {job.id} is queued again.")


@jobs.command()
def cancel(job_id: _Id) -> None:
    """End a job that has not ended: its credits are given back, and no webhook is sent.

    Exit code: 0 done, 1 the database failed, 2 there is nothing to cancel.
    """
    with _at_desk() as (_, desk):
        import asyncio  # noqa: PLC0415

        job = _job_of(desk, job_id)
        asyncio.run(desk.cancel(job.organization_id, job.id))
    typer.echo(f"The job {job.id} is cancelled.")


@contextlib.contextmanager
def _at_desk() -> "Iterator[tuple[Books, Desk]]":
    with opened_books() as (books, settings):
        from imageplane.jobs.shop import desk_of  # noqa: PLC0415

        yield books, desk_of(settings, books)


def _job_of(desk: "Desk", job_id: str) -> "Job":
    import asyncio  # noqa: PLC0415

    from imageplane.errors import NotFound  # noqa: PLC0415

    # A database need not understand every character.
    if not (job_id.isascii() and job_id.isalnum()):
        raise NotFound("This is no id of a job; `imageplane jobs list` tells those that there are.")
    return asyncio.run(desk.any_job(job_id))


def _row(job: "Job") -> tuple[str, ...]:
    return job.id, job.api, job.status, _moment_of(job.created_at_in_ms), str(job.attempts)


def _facts(job: "Job", owner: str) -> list[tuple[str, str]]:
    from imageplane.accounts.prices import in_credits  # noqa: PLC0415
    from imageplane.jobs.receiver import shown  # noqa: PLC0415

    facts = {
        "id": job.id,
        "organization": owner,
        "api": job.api,
        "status": job.status,
        "created": _moment_of(job.created_at_in_ms),
        "started": _moment_of(job.started_at_in_ms),
        "ended": _moment_of(job.ended_at_in_ms),
        "attempts": str(job.attempts),
        "credits": in_credits(job.amount_in_millicredits),
        "request": job.request_id,
        "webhook": shown(job.webhook_url) if job.webhook_url else "-",
    }
    if job.failure is not None:
        facts |= {"code": job.failure.code, "reason": job.failure.message}
        facts |= {fault.path: fault.message for fault in job.failure.details}
    return list(facts.items())


def _moment_of(at_in_ms: int | None) -> str:
    return "-" if at_in_ms is None else datetime.fromtimestamp(at_in_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
