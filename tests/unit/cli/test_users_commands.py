"""`imageplane users`: an account for the dashboard, made and mended by whoever runs the server."""

import asyncio
from pathlib import Path

from test_accounts_commands import Shell

from imageplane.accounts import users
from imageplane.accounts.passwords import Passwords
from imageplane.database import Database


def is_password(shell: Shell, password: str) -> bool:
    database = Database.at(None, shell.folder)
    with database.reading() as connection:
        user = users.with_email(connection, "ada@example.com")
    database.close()
    assert user is not None
    passwords = Passwords()
    try:
        return asyncio.run(passwords.matches(password, user.password_hash))
    finally:
        passwords.close()


def test_a_user_is_made_listed_and_given_another_password(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "data")
    assert "There are no users" in shell.run("users", "list").stderr
    refused = shell.run("users", "create", "ada@example.com")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "There are no organizations" in refused.stderr
    shell.run("keys", "create", "--name", "web")
    made = shell.run("users", "create", "Ada@Example.com")
    assert made.returncode == 0, made.stderr
    first = made.stdout.strip()
    assert len(first) == 20
    assert first not in made.stderr
    assert is_password(shell, first)
    listed = shell.run("users", "list").stdout.splitlines()
    assert listed[1].split()[:2] == ["ada@example.com", "web"]
    reset = shell.run("users", "reset-password", "ada@example.com")
    assert is_password(shell, reset.stdout.strip())
    assert not is_password(shell, first)
    for wrong in (("create", "ada@example.com"), ("create", "ada"), ("reset-password", "bob@example.com")):
        done = shell.run("users", *wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("Error: ")
