"""What the server says to its operator: enough to find a request again, and nothing that has to stay secret."""

import base64
import json
import socket
from collections.abc import Iterator
from typing import Any

from picture_server import PICTURES, PictureServer
from server import TRANSFORM, Server
from sqlalchemy import text

PNG = base64.b64encode(PICTURES["photo.png"]).decode()
SECRETS = {
    "query": "secret-in-a-query",
    "token": "secret-token",
    "password": "secret-password",
    "header": "secret-header",
    "url": "secret-in-a-url",
    "idempotency": "secret-idempotency-key",
    "base64": PNG[40:80],
    "name": "secret-file-name",
    "field": "secret-field",
}


def lines(output: str) -> Iterator[dict[str, Any]]:
    for line in output.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def _good_and_bad(server: Server, pictures_url: str) -> None:
    query = f"?token={SECRETS['query']}"
    options = {
        "auth": {"type": "bearer", "token": SECRETS["token"]},
        "headers": {"X-Secret": SECRETS["header"]},
        "user_agent": SECRETS["field"],
    }
    basic = {"auth": {"type": "basic", "username": SECRETS["field"], "password": SECRETS["password"]}}
    files: list[Any] = [
        {"base64": PNG, "name": SECRETS["name"]},
        {"base64": PNG[:60], "name": SECRETS["name"]},
        {"base64": f"{PNG}!"},
        {"url": f"{pictures_url}/photo.png{query}", "fetch_options": options},
        {"url": f"{pictures_url}/{SECRETS['url']}.png{query}", "fetch_options": basic},
        {"url": f"http://127.0.0.1:1/{SECRETS['url']}{query}"},
        {"url": f"https://{SECRETS['url']}.invalid/{query}"},
        {"url": f"https://{SECRETS['field']}:{SECRETS['password']}@example.com/"},
        {"url": f"ftp://{SECRETS['url']}/"},
        {"base64": PNG, "fetch_options": {"headers": {"Cookie": SECRETS["header"]}}},
    ]
    for file in files:
        server.post({"file": file, "operations": [{"type": "flip", SECRETS["field"]: SECRETS["field"]}]})
    words = {"Idempotency-Key": SECRETS["idempotency"], "Cookie": SECRETS["header"], "Accept": "image/*"}
    for _ in range(2):
        server.post({"file": {"base64": PNG}, "operations": []}, headers=words)
    server.post({"file": {"base64": PNG}, "operations": [{"type": SECRETS["field"]}]}, f"{TRANSFORM}{query}")
    server.post(f'{{"file":{{"base64":"{PNG}'.encode())
    server.get(f"/v1/me{query}")
    server.get(f"/nowhere{query}")
    server.get(f"/v1/usage?since={SECRETS['query']}")
    server.get("/v1/me", key="ip_live_" + SECRETS["token"] * 3)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(f"nonsense {server.key} {SECRETS['token']}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


TABLES = ("usage_by_day", "holds", "organizations", "idempotency_keys")


def _failing(server: Server) -> None:
    """Ask for what the server can not know any more: its tables are gone."""
    with server.books() as books:
        for table in TABLES:
            with books.database.writing() as connection:
                connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_gone"))
        upload = {"file": {"base64": PNG, "name": SECRETS["name"]}, "operations": []}
        failed = [
            server.get(f"/v1/usage?until=2026-01-01&x={SECRETS['query']}"),
            server.get("/v1/me"),
            server.post(upload),
            # What SQLAlchemy says of this one has the key in it.
            server.post(upload, headers={"Idempotency-Key": SECRETS["idempotency"]}),
        ]
        for table in TABLES:
            with books.database.writing() as connection:
                connection.execute(text(f"ALTER TABLE {table}_gone RENAME TO {table}"))
    for reply in failed:
        assert (reply.status, reply.json["code"]) == (500, "internal_error")
        assert reply.json["error"] == "Something went wrong here."
    assert server.get("/v1/me").status == 200


def test_no_secret_is_ever_logged(hasty: Server, pictures: PictureServer) -> None:
    _good_and_bad(hasty, pictures.url)
    _failing(hasty)
    hasty.get("/health/live", headers={"X-Request-Id": "the-last-one"})
    hasty.said("the-last-one")
    start, listening, said = hasty.output.partition("Imageplane listens on")
    assert listening
    assert hasty.key in start
    statuses = {line["status"] for line in lines(said) if line["event"] == "request"}
    assert {200, 400, 401, 404, 422, 500} <= statuses
    assert any(line["level"] == "error" and line["stack"] for line in lines(said))
    for name, secret in {**SECRETS, "key": hasty.key, "short key": hasty.key[14:]}.items():
        assert secret not in said, name


def test_a_line_tells_what_helps(hasty: Server) -> None:
    hasty.post(
        {"file": {"base64": PNG}, "operations": []},
        headers={"X-Request-Id": "telling-1", "X-IterationLayer-Integration": "n8n"},
    )
    line = hasty.said("telling-1")
    account = hasty.get("/v1/me").json["data"]
    wanted = {
        "event": "request",
        "level": "info",
        "method": "POST",
        "path": TRANSFORM,
        "status": 200,
        "integration": "n8n",
        "organization_id": account["organization"]["id"],
        "key_id": account["key"]["id"],
        "source_format": "png",
        "outputs": 1,
    }
    assert wanted.items() <= line.items()
    assert line["duration_in_ms"] > 0
    assert line["received_in_bytes"] > 500
    assert line["at"].endswith("Z")


def test_a_failure_is_told_with_its_code(hasty: Server) -> None:
    hasty.post({"file": {"base64": "AAAA"}, "operations": []}, headers={"X-Request-Id": "telling-2"})
    line = hasty.said("telling-2")
    assert (line["status"], line["code"]) == (400, "unsupported_format")


def test_a_caller_can_not_forge_a_line(hasty: Server) -> None:
    forged = "%0a{%22event%22:%22forged%22}"
    hasty.get(f"/{forged}", headers={"X-Request-Id": "forged-1"})
    hasty.get("/v1/me", headers={"X-Request-Id": '"}{"event":"forged"', "X-IterationLayer-Integration": '"forged"'})
    assert hasty.said("forged-1")["path"] == '/\n{"event":"forged"}'
    assert not [line for line in lines(hasty.output) if line.get("event") == "forged"]


def test_every_line_but_the_welcome_is_json(hasty: Server) -> None:
    said = hasty.output.partition("Imageplane listens on")[2].splitlines()[1:]
    for line in said:
        assert json.loads(line)["level"] in {"debug", "info", "warning", "error"}
