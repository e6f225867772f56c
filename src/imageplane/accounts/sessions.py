"""Sessions: who has signed in with which browser.

A session is 256 bits of chance in a cookie. Only their SHA-256 is kept, as with keys: who reads the database can't
sign in with what is there.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from imageplane.accounts.users import User
from imageplane.database.statements import Statement

_BYTES: Final = 32
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{43}")

# A password that is changed at the same moment opens no session: the row is locked until one of both is committed.
_BEGIN: Final = Statement("""
    INSERT INTO sessions (digest, user_id, created_at_in_ms, expires_at_in_ms)
    SELECT :digest, id, :now, :expires_at FROM users WHERE id = :user_id AND password_hash = :hash FOR NO KEY UPDATE
""")
_FIND: Final = text("""
    SELECT user_id, email, organization_id, name, expires_at_in_ms
    FROM sessions JOIN users ON users.id = user_id JOIN organizations ON organizations.id = organization_id
    WHERE digest = :digest AND expires_at_in_ms > :now
""")


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in."""

    user_id: str
    email: str
    organization_id: str
    organization_name: str
    expires_at_in_ms: int


def new_text() -> str:
    """Give what a cookie is to hold."""
    return secrets.token_urlsafe(_BYTES)


def is_well_formed(session_text: str) -> bool:
    """Tell whether a text can be that of a session at all."""
    return _SHAPE.fullmatch(session_text) is not None


def begin(connection: Connection, user: User, now_in_ms: int, lifetime_in_s: float) -> str | None:
    """Start a session, and give its text; `None` when the user has another password by now."""
    session_text = new_text()
    row = {
        "digest": _digest_of(session_text),
        "user_id": user.id,
        "hash": user.password_hash,
        "now": now_in_ms,
        "expires_at": _end(now_in_ms, lifetime_in_s),
    }
    return session_text if _BEGIN.run(connection, row).rowcount == 1 else None


def found(connection: Connection, session_text: str, now_in_ms: int) -> Session | None:
    """Give the session of a text, if there is one and its time is not over."""
    row = connection.execute(_FIND, {"digest": _digest_of(session_text), "now": now_in_ms}).one_or_none()
    return None if row is None else Session(*row)


def prolong(connection: Connection, session_text: str, now_in_ms: int, lifetime_in_s: float) -> None:
    """Have a session that is still there last its whole lifetime from now on."""
    statement = """
        UPDATE sessions SET expires_at_in_ms = :expires_at WHERE digest = :digest AND expires_at_in_ms > :now
    """
    row = {
        "digest": _digest_of(session_text),
        "now": now_in_ms,
        "expires_at": _end(now_in_ms, lifetime_in_s),
    }
    connection.execute(text(statement), row)


def end(connection: Connection, session_text: str) -> None:
    """End a session; once more does no harm."""
    connection.execute(text("DELETE FROM sessions WHERE digest = :digest"), {"digest": _digest_of(session_text)})


def end_all(connection: Connection, user_id: str) -> int:
    """End every session of a user, and tell how many that were."""
    return connection.execute(text("DELETE FROM sessions WHERE user_id = :id"), {"id": user_id}).rowcount


def forget_expired(connection: Connection, now_in_ms: int) -> None:
    """Delete the sessions whose time is over."""
    connection.execute(text("DELETE FROM sessions WHERE expires_at_in_ms <= :now"), {"now": now_in_ms})


def _digest_of(session_text: str) -> bytes:
    return hashlib.sha256(session_text.encode()).digest()


def _end(now_in_ms: int, lifetime_in_s: float) -> int:
    return now_in_ms + round(lifetime_in_s * 1000)
