"""Who may come in."""

import time

import pytest
from banking import new_key
from server import TRANSFORM, Server

from imageplane.accounts import keys

GUARDED = [("POST", TRANSFORM), ("GET", "/v1/me"), ("GET", "/v1/usage")]
OPEN = ["/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"]
PATIENCE_IN_S = 20


@pytest.mark.parametrize("route", GUARDED, ids=" ".join)
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNzd29yZA==",
        "Bearer wrong",
        "Bearer ip_live_" + "0" * 43,
        "Bearer ip_live_" + "0" * 5000,
        "Bearer \xff\xfe",
        "ip_live_" + "0" * 43,
    ],
)
def test_without_a_good_key_there_is_nothing(server: Server, route: tuple[str, str], authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    reply = server.request(*route, b"{}" if route[0] == "POST" else None, headers)
    assert reply.status == 401
    assert (reply.json["error"], reply.json["code"]) == ("Invalid API key", "invalid_api_key")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert "x-ratelimit-limit" not in reply.headers


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER  {} "])
def test_a_good_key(server: Server, form: str) -> None:
    assert server.request("GET", "/v1/me", headers={"Authorization": form.format(server.key)}).status == 200


@pytest.mark.parametrize("form", ["Basic {}", "{}", "Bearer {}x", "Bearer x{}", "Bearer {},", 'Bearer "{}"'])
def test_a_good_key_in_the_wrong_place(server: Server, form: str) -> None:
    assert server.request("GET", "/v1/me", headers={"Authorization": form.format(server.key)}).status == 401


def test_a_key_in_the_url_opens_nothing(server: Server) -> None:
    assert server.get(f"/v1/me?key={server.key}&api_key={server.key}", key="").status == 401


@pytest.mark.parametrize("path", OPEN)
def test_what_is_open_to_everybody(server: Server, path: str) -> None:
    assert server.get(path, key="").status == 200


def test_a_key_that_is_revoked_is_refused_within_seconds(server: Server) -> None:
    with server.books() as books:
        key = new_key(books)
        assert server.get("/v1/me", key=key).status == 200
        with books.database.writing() as connection:
            keys.revoke(connection, key)
    assert seconds_until_refused(server, key) < PATIENCE_IN_S


def test_a_key_ends_when_it_expires(server: Server) -> None:
    with server.books() as books:
        key = new_key(books, expires_at_in_ms=int(time.time() * 1000) + 1500)
    assert server.get("/v1/me", key=key).json["data"]["key"]["expires_at"] is not None
    assert seconds_until_refused(server, key) < PATIENCE_IN_S


def seconds_until_refused(server: Server, key: str) -> float:
    started = time.monotonic()
    while server.get("/v1/me", key=key).status == 200:
        assert time.monotonic() - started < PATIENCE_IN_S, "the key is still good"
        time.sleep(0.1)
    return time.monotonic() - started


def test_a_key_sees_its_own_organization_only(server: Server) -> None:
    with server.books() as books:
        first, second = new_key(books, 3), new_key(books, 4)
    one, other = server.get("/v1/me", key=first).json["data"], server.get("/v1/me", key=second).json["data"]
    assert (one["credits"], other["credits"]) == (3, 4)
    assert one["organization"]["id"] != other["organization"]["id"]
    assert server.get("/v1/usage", key=first).json["data"]["usage"] == []
