"""What an organization may ask about its webhooks: secrets, what became of deliveries, and another go."""

import time
from datetime import datetime
from typing import Any

import jsonschema_rs
import pytest
from banking import new_key
from job_rows import insert_job
from server import Reply, Server

from imageplane.accounts.books import Books
from imageplane.database.stamps import new_id, now_in_ms
from imageplane.http.catalog import described
from imageplane.jobs import deliveries
from imageplane.jobs.deliveries import Wish
from imageplane.jobs.delivery_schedule import Attempt, Step
from imageplane.jobs.webhook import key_of
from imageplane.settings import LimitSettings
from imageplane.sources.location import Location

DOCUMENT = described(LimitSettings())
PATIENCE_IN_S = 60
SECRETS, ROTATE = "/v1/webhooks/secrets", "/v1/webhooks/secrets/rotate"


def data_of(reply: Reply, path: str, method: str = "get") -> Any:
    """Give the data of a reply of success, once it is seen to be as the document says."""
    assert reply.status == 200, reply.body
    schema = DOCUMENT["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema_rs.Draft202012Validator(whole, validate_formats=True).validate(reply.json)
    return reply.json["data"]


def secrets_of(server: Server, key: str) -> list[dict[str, Any]]:
    reply = server.get(SECRETS, key=key)
    assert reply.headers["cache-control"] == "no-store"
    found: list[dict[str, Any]] = data_of(reply, SECRETS)["secrets"]
    return found


def deliveries_of(server: Server, job_id: str, key: str) -> list[dict[str, Any]]:
    path = "/v1/jobs/{job_id}/deliveries"
    found: list[dict[str, Any]] = data_of(server.get(path.format(job_id=job_id), key=key), path)["deliveries"]
    return found


def redeliver(server: Server, delivery_id: str, key: str) -> Reply:
    return server.post(b"", f"/v1/deliveries/{delivery_id}/redeliver", key=key)


def failed_delivery(books: Books, key: str, job_id: str) -> str:
    """Give the id of a delivery that has failed for good."""
    owner, now = books.keys.ask(key).result(30).organization_id, now_in_ms()
    wish = Wish(owner, job_id, Location.parse("https://app.example.com/hook?token=s3cret"), "link")
    with books.database.writing() as connection:
        insert_job(connection, owner, job_id)
        (name,) = deliveries.insert(connection, [wish], now)
        (claimed,) = deliveries.claim(connection, [name], now, 1000)
        attempt = Attempt(now, 31, 410, "The receiver answered with status 410: it wants no more messages.")
        assert deliveries.record(connection, claimed, attempt, Step("failed"), now)
    return name


def test_an_organization_has_a_secret_of_its_own(installation: Server) -> None:
    with installation.books() as books:
        one, other = new_key(books), new_key(books)
    (secret,) = secrets_of(installation, one)
    assert len(key_of(secret["secret"])) == 32
    assert secret["signs_until"] is None
    assert datetime.fromisoformat(secret["created_at"]).utcoffset() is not None
    assert secrets_of(installation, one) == [secret]
    assert secrets_of(installation, other)[0]["secret"] != secret["secret"]


def test_a_rotation_leaves_the_old_secret_a_day(installation: Server) -> None:
    with installation.books() as books:
        key = new_key(books)
    (old,) = secrets_of(installation, key)
    new, ending = data_of(installation.post(b"", ROTATE, key=key), ROTATE, "post")["secrets"]
    assert new["secret"] != old["secret"] == ending["secret"]
    assert new["signs_until"] is None
    left = datetime.fromisoformat(ending["signs_until"]) - datetime.fromisoformat(new["created_at"])
    assert left.total_seconds() == 24 * 3600
    assert secrets_of(installation, key) == [new, ending]


def test_a_delivery_is_told_with_its_attempts_and_without_its_query(installation: Server) -> None:
    job_id = new_id()
    with installation.books() as books:
        key = new_key(books)
        name = failed_delivery(books, key, job_id)
    (found,) = deliveries_of(installation, job_id, key)
    assert (found["id"], found["job_id"], found["delivery"], found["status"]) == (name, job_id, "link", "failed")
    assert found["url"] == "https://app.example.com/hook?…"
    assert (found["next_attempt_at"], found["ended_at"]) == (None, found["created_at"])
    (attempt,) = found["attempts"]
    assert (attempt["number"], attempt["duration_in_ms"], attempt["status_code"]) == (1, 31, 410)
    assert attempt["error"] == "The receiver answered with status 410: it wants no more messages."


def test_another_go_is_due_at_once(installation: Server) -> None:
    job_id = new_id()
    with installation.books() as books:
        key = new_key(books)
        name = failed_delivery(books, key, job_id)
    found = data_of(redeliver(installation, name, key), "/v1/deliveries/{delivery_id}/redeliver", "post")
    assert (found["id"], found["status"], found["ended_at"]) == (name, "pending", None)
    assert found["next_attempt_at"] is not None
    assert len(found["attempts"]) == 1
    assert "s3cret" not in str(found)
    until = time.monotonic() + PATIENCE_IN_S
    while len(deliveries_of(installation, job_id, key)[0]["attempts"]) < 2:
        assert time.monotonic() < until, "the server never tried again"
        time.sleep(0.05)


def test_what_belongs_to_another_is_not_there(installation: Server) -> None:
    job_id = new_id()
    with installation.books() as books:
        key, stranger = new_key(books), new_key(books)
        name = failed_delivery(books, key, job_id)
    for reply in (
        installation.get(f"/v1/jobs/{job_id}/deliveries", key=stranger),
        redeliver(installation, name, stranger),
    ):
        assert (reply.status, reply.json["code"]) == (404, "not_found")
    assert deliveries_of(installation, job_id, key)[0]["status"] == "failed"


@pytest.mark.parametrize(
    "nonsense",
    ["nobody", "%00", "a%00b", "%F0%9F%98%80", "%ED%A0%80", "a" * 33, "a" * 5000, "..", "%27%20OR%201", "%C3"],
)
def test_what_can_be_no_id_is_not_there(installation: Server, nonsense: str) -> None:
    for reply in (
        installation.get(f"/v1/jobs/{nonsense}/deliveries"),
        redeliver(installation, nonsense, installation.key),
    ):
        assert (reply.status, reply.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", SECRETS),
        ("POST", ROTATE),
        ("GET", "/v1/jobs/01M83SC04AAWMM3MYGG1NR0X9J/deliveries"),
        ("POST", "/v1/deliveries/msg_01M83SC05B45CAFS5MWCME1XCD/redeliver"),
    ],
)
def test_without_a_key_nothing_is_told(server: Server, method: str, path: str) -> None:
    reply = server.request(method, path)
    assert (reply.status, reply.json["error"]) == (401, "Invalid API key")
    good = server.request(method, path, headers={"Authorization": f"Bearer {server.key}"})
    assert good.status in (200, 404)
    assert "x-ratelimit-remaining" in good.headers


def test_secrets_are_in_no_log(server: Server) -> None:
    with server.books() as books:
        key = new_key(books)
    (secret,) = secrets_of(server, key)
    server.post(b"", ROTATE, key=key)
    assert secret["secret"] not in server.output
