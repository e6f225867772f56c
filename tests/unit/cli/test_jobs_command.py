"""`imageplane jobs`: what a person sees of jobs, and can do with them, without a server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from banking import balance_of, open_books
from job_bench import DONE, HOOK, Bench, Script
from test_accounts_commands import Shell

from imageplane.accounts.books import Books
from imageplane.errors import UndecodableImage
from imageplane.jobs.job import Job


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


@pytest.fixture
def books(shell: Shell) -> Iterator[Books]:
    with open_books(f"sqlite:///{shell.folder / 'imageplane.db'}", shell.folder) as books:
        yield books


@pytest.fixture
def bench(books: Books) -> Bench:
    return Bench(books)


def handed_in(bench: Bench) -> Job:
    return asyncio.run(bench.accept(webhook_url=HOOK))


def failed(bench: Bench) -> Job:
    async def fail() -> Job:
        worker = bench.worker(Script(iter([UndecodableImage("The image is damaged.")])))
        return await bench.attempt(worker, await bench.accept())

    return asyncio.run(fail())


def test_what_failed_for_good_is_listed_with_its_reason(shell: Shell, bench: Bench) -> None:
    dead, waiting = failed(bench), handed_in(bench)
    done = shell.run("jobs", "list")
    head, *lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr, head.split()[:3]) == (0, "", ["ID", "API", "STATUS"])
    assert [line.split()[0] for line in lines] == [waiting.id, dead.id]
    (line,) = shell.run("jobs", "list", "--status", "failed").stdout.splitlines()[1:]
    assert line.split()[:3] == [dead.id, "image_transformation", "failed"]
    assert line.endswith("The image is damaged.")
    assert len(shell.run("jobs", "list", "--limit", "1").stdout.splitlines()) == 2
    none = shell.run("jobs", "list", "--status", "succeeded")
    assert (none.returncode, none.stdout) == (0, "")
    assert "no succeeded jobs" in none.stderr


def test_one_job_is_shown_without_its_secrets(shell: Shell, bench: Bench) -> None:
    dead, waiting = failed(bench), handed_in(bench)
    told = shell.run("jobs", "show", dead.id).stdout
    for words in (dead.id, bench.account.organization_name, "failed", "undecodable_image", "The image is damaged."):
        assert words in told
    told = shell.run("jobs", "show", waiting.id).stdout
    assert "https://app.example.com/hook?…" in told
    assert "s3cret" not in told


def test_a_job_is_replayed_and_cancelled_at_its_price(shell: Shell, bench: Bench, books: Books) -> None:
    dead = failed(bench)
    done = shell.run("jobs", "replay", dead.id)
    assert (done.returncode, done.stdout) == (0, f"The job {dead.id} is queued again.\n")
    assert (bench.look(dead).status, balance_of(books, bench.account)) == ("queued", 9_000)
    again = shell.run("jobs", "replay", dead.id)
    assert (again.returncode, again.stdout) == (2, "")
    assert "has not ended" in again.stderr
    done = shell.run("jobs", "cancel", dead.id)
    assert (done.returncode, done.stdout) == (0, f"The job {dead.id} is cancelled.\n")
    assert (bench.look(dead).status, balance_of(books, bench.account)) == ("cancelled", 10_000)
    again = shell.run("jobs", "cancel", dead.id)
    assert (again.returncode, "has ended" in again.stderr) == (2, True)
    assert shell.run("jobs", "replay", dead.id).returncode == 0
    assert asyncio.run(bench.attempt(bench.worker(Script(iter([DONE]))), dead)).status == "succeeded"
    assert balance_of(books, bench.account) == 9_000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "nobody"), "no such job"),
        (("show", "ü'--"), "no id of a job"),
        (("replay", "nobody"), "no such job"),
        (("cancel", "nobody"), "no such job"),
        (("list", "--status", "lost"), "lost"),
        (("list", "--limit", "0"), "--limit"),
        (("list", "--organization", "nobody"), "'nobody'"),
    ],
)
def test_failures_are_one_sentence(shell: Shell, bench: Bench, arguments: tuple[str, ...], sentence: str) -> None:
    assert bench.count("jobs") == 0
    done = shell.run("jobs", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_who_can_not_pay_is_told(shell: Shell, bench: Bench) -> None:
    dead = failed(bench)
    bench.change("UPDATE api_keys SET revoked_at_in_ms = 1")
    done = shell.run("jobs", "replay", dead.id)
    assert (done.returncode, "revoked" in done.stderr) == (2, True)
    assert bench.look(dead).status == "failed"
