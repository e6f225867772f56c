"""`imageplane webhooks`: secrets on standard output, for a pipe into a vault."""

from pathlib import Path

import pytest
from banking import open_books
from test_accounts_commands import Shell

from imageplane.jobs.webhook import key_of


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


def test_a_secret_is_the_only_output_and_stays_until_it_is_rotated(shell: Shell) -> None:
    shell.run("keys", "create", "--name", "shop")
    first = shell.run("webhooks", "secret")
    assert (first.returncode, first.stderr) == (0, "")
    assert len(key_of(first.stdout.strip())) == 32
    assert shell.run("webhooks", "secret", "--organization", "shop").stdout == first.stdout
    rotated = shell.run("webhooks", "rotate")
    assert rotated.returncode == 0
    assert "For 24 hours" in rotated.stderr
    assert rotated.stdout != first.stdout
    assert rotated.stdout.strip() not in rotated.stderr
    assert shell.run("webhooks", "secret").stdout == rotated.stdout


def test_each_organization_has_its_own(shell: Shell) -> None:
    with (
        open_books(f"sqlite:///{shell.folder / 'imageplane.db'}", shell.folder) as books,
        books.database.writing() as connection,
    ):
        books.new_organization(connection, "one")
        books.new_organization(connection, "two")
    one, two = (shell.run("webhooks", "rotate", "--organization", name) for name in ("one", "two"))
    assert one.stdout != two.stdout
    assert (one.stderr, two.stderr) == ("", "")
    for command in ("secret", "rotate"):
        done = shell.run("webhooks", command)
        assert (done.returncode, done.stdout) == (2, "")
        assert "one, two" in done.stderr
        done = shell.run("webhooks", command, "--organization", "nobody")
        assert (done.returncode, done.stdout) == (2, "")
        assert "'nobody'" in done.stderr
