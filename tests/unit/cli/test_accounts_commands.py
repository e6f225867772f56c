"""`imageplane keys` and `imageplane credits`: what a person types, sees, and is told when it is wrong."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from banking import PATIENCE_IN_S, balance_of, open_books


class Shell:
    """Runs commands on one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"IMAGEPLANE_DATA_DIR": str(folder), "IMAGEPLANE_TRIAL_CREDITS": "30"}

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "imageplane.cli", *arguments]
        environment = self.environment | variables
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)

    def balance(self, key_text: str) -> int:
        with open_books(f"sqlite:///{self.folder / 'imageplane.db'}", self.folder) as books:
            return balance_of(books, books.keys.ask(key_text).result(PATIENCE_IN_S))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


def test_a_key_is_the_last_line_and_works(shell: Shell) -> None:
    done = shell.run("keys", "create", "--name", "web", "--credits", "100")
    assert done.returncode == 0, done.stderr
    key_text = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"ip_live_[0-9A-Za-z]{43}", key_text)
    assert "only this once" in done.stderr
    assert key_text not in done.stderr
    assert shell.balance(key_text) == 100_000


def test_keys_of_one_organization_share_its_credits(shell: Shell) -> None:
    first = shell.run("keys", "create", "--name", "web").stdout.strip()
    arguments = ("--organization", "web", "--credits", "5", "--budget-cap", "7", "--expires-in-days", "3")
    second = shell.run("keys", "create", "--name", "backup", *arguments).stdout.strip()
    assert shell.balance(first) == shell.balance(second) == 35_000
    listed = shell.run("keys", "list").stdout.splitlines()
    assert len(listed) == 3
    assert re.search(rf"{second[:14]}… +backup +web +active +0 +7 +\d{{4}}-\d\d-\d\d +\d{{4}}-\d\d-\d\d$", listed[2])
    assert first not in "".join(listed)
    assert shell.run("credits", "grant", "15").stdout == "web has 50 credits now.\n"
    assert shell.run("credits", "show").stdout.splitlines() == ["ORGANIZATION  CREDITS", "web           50"]
    revoked = shell.run("keys", "revoke", second[:14])
    assert (revoked.returncode, revoked.stdout) == (0, "The key backup is revoked.\n")
    assert "revoked" in shell.run("keys", "list").stdout


def test_nothing_yet_is_said_with_what_to_do(shell: Shell) -> None:
    for command in (("keys", "list"), ("credits", "show")):
        done = shell.run(*command)
        assert (done.returncode, done.stdout) == (0, "")
        assert "imageplane keys create --name NAME" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "sentence"),
    [
        (("keys", "revoke", "nobody"), {}, 2, "imageplane keys list"),
        (("credits", "grant", "5", "--organization", "nobody"), {}, 2, "'nobody'"),
        (("credits", "grant", "5"), {}, 2, "one, two"),
        (("credits", "grant", "0"), {}, 2, "CREDITS"),
        (("keys", "create", "--name", " "), {}, 2, "printable"),
        (("keys", "list"), {"IMAGEPLANE_DATABASE__URL": "mysql://u:hunter2@h/d"}, 2, "IMAGEPLANE_DATABASE__URL"),
        (("keys", "list"), {"IMAGEPLANE_DATABASE__URL": "postgresql://u:hunter2@127.0.0.1:1/d"}, 1, "refused"),
        (("keys", "list"), {"IMAGEPLANE_TRIAL_CREDITS": "many"}, 2, "IMAGEPLANE_TRIAL_CREDITS"),
    ],
)
def test_failures_are_one_sentence(
    shell: Shell, arguments: tuple[str, ...], variables: dict[str, str], code: int, sentence: str
) -> None:
    with (
        open_books(f"sqlite:///{shell.folder / 'imageplane.db'}", shell.folder) as books,
        books.database.writing() as connection,
    ):
        books.new_organization(connection, "one")
        books.new_organization(connection, "two")
    done = shell.run(*arguments, **variables)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
