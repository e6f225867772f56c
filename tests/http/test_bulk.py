"""Bulks over HTTP: a manifest by URL, chunks that are done as jobs, what failed and what was made."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import picture_server
import pytest
from banking import new_key
from picture_server import PictureServer
from postgres import Postgres
from server import Reply, Server, serving

OUTPUTS = [
    {"name": "small", "operations": [{"type": "resize", "width_in_px": 10, "height_in_px": 8, "fit": "cover"}]},
    {"name": "gray", "operations": [{"type": "grayscale"}, {"type": "convert", "format": "webp"}]},
]
Manifest = Callable[[list[dict[str, Any]]], dict[str, str]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    opened = {"SOURCES__ALLOW_HTTP": "true", "SOURCES__ALLOW_PRIVATE_NETWORKS": "true"}
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        opened["DATABASE__URL"] = postgres.new_database()
    folder: Path = tmp_path_factory.mktemp("bulk")
    with serving(folder, **opened) as found:
        yield found


@pytest.fixture
def manifest(pictures: PictureServer, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """Give what serves lines as a manifest."""

    def served(lines: list[dict[str, Any]]) -> dict[str, str]:
        text = "".join(json.dumps(line) + "\n" for line in lines)
        monkeypatch.setitem(picture_server.PICTURES, "manifest.jsonl", text.encode())
        return {"url": f"{pictures.url}/manifest.jsonl"}

    return served


def bulk(server: Server, manifest: object, **more: object) -> Reply:
    return server.post({"manifest": manifest, **({"outputs": OUTPUTS} | more)}, "/v1/bulk")


def ended(server: Server, reply: Reply) -> dict[str, Any]:
    assert reply.status == 201, reply.body
    return end_of(server, f"/v1/jobs/{reply.json['job_id']}")


def end_of(server: Server, path: str) -> dict[str, Any]:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        job: dict[str, Any] = server.get(path).json["data"]
        if job["ended_at"]:
            return job
        time.sleep(0.1)
    raise AssertionError(job)


def lines(reply: Reply) -> list[dict[str, Any]]:
    assert reply.status == 200, reply.body
    return [json.loads(line) for line in reply.body.splitlines()]


def balance(server: Server) -> float:
    found: float = server.get("/v1/me").json["data"]["credits"]
    return found


def test_every_image_of_a_manifest_is_made_or_told_of(
    server: Server, pictures: PictureServer, manifest: Manifest
) -> None:
    urls = [f"{pictures.url}/{name}" for name in ("photo.png", "photo.png?2", "nothing.png?secret=1")]
    listed = manifest([{"url": url, "name": f"user/{number}"} for number, url in enumerate(urls)])
    before = balance(server)
    job = ended(server, bulk(server, listed))
    assert (job["status"], job["items"]) == ("succeeded", {"total": 3, "done": 2, "failed": 1})
    assert balance(server) == before - 2
    (failed,) = lines(server.get(f"/v1/bulk/{job['id']}/failures"))
    assert (failed["name"], failed["code"], failed["line"]) == ("user/2", "unreachable_source", 3)
    assert "secret" not in json.dumps(failed)
    made = {line["name"]: line for line in lines(server.get(f"/v1/bulk/{job['id']}/outputs"))}
    assert sorted(made) == ["user/0.gray.webp", "user/0.small.png", "user/1.gray.webp", "user/1.small.png"]
    path = "/" + made["user/0.gray.webp"]["url"].split("/", 3)[3]
    picture = server.request("GET", path)
    assert (picture.status, picture.headers["content-type"]) == (200, "image/webp")
    assert len(picture.body) == made["user/0.gray.webp"]["size_in_bytes"]
    assert server.request("GET", path.replace("user/0", "user/1")).status == 403
    assert server.get(f"/v1/bulk/{job['id']}/outputs/user/0.gray.webp").body == picture.body
    assert server.get(f"/v1/bulk/{job['id']}/outputs/../../input").status == 404
    assert server.get(f"/v1/jobs/{job['id']}/result").json["data"] == {"total": 3, "done": 2, "failed": 1}
    assert server.get(f"/v1/jobs/{job['id']}/outputs/image").status == 404
    (listed_job,) = server.get("/v1/jobs?limit=1").json["data"]["jobs"]
    assert listed_job["id"] == job["id"], "its parts are not listed beside it"


def test_who_hands_it_in_again_with_its_key_gets_the_same_bulk(
    server: Server, manifest: Manifest, pictures: PictureServer
) -> None:
    body = {"manifest": manifest([{"url": f"{pictures.url}/photo.png"}]), "outputs": OUTPUTS}
    before, key = balance(server), {"Idempotency-Key": "back-fill 7"}
    first, again = (server.post(body, "/v1/bulk", headers=key) for _ in range(2))
    assert first.json["job_id"] == again.json["job_id"]
    assert again.headers["idempotent-replayed"] == "true"
    assert ended(server, first)["items"] == {"total": 1, "done": 1, "failed": 0}
    assert balance(server) == before - 1
    other = server.post(body | {"outputs": OUTPUTS[:1]}, "/v1/bulk", headers=key)
    assert (other.status, other.json["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("lines_of_it", "told"),
    [
        ([{"path": "/etc/passwd"}], "line 1"),
        ([{"key": "jobs/x"}], "line 1"),
        ([{"url": "http://a/1"}, {"url": "http://a/1"}], "line 2"),
        ([{"nothing": 1}], "line 1"),
    ],
    ids=["a path", "a key", "twice the same", "no place"],
)
def test_a_manifest_that_can_not_be_done_is_refused(
    server: Server, manifest: Manifest, lines_of_it: list[dict[str, Any]], told: str
) -> None:
    before = balance(server)
    job = ended(server, bulk(server, manifest(lines_of_it)))
    assert job["status"] == "failed"
    assert told in json.dumps(job["error"])
    assert balance(server) == before


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"outputs": OUTPUTS}, "manifest"),
        ({"manifest": {"base64": "AAAA"}, "outputs": OUTPUTS}, "manifest"),
        ({"manifest": {"url": "http://169.254.169.254/m"}, "outputs": OUTPUTS}, "manifest.url"),
        ({"manifest": {"url": "https://a.example/m"}, "operations": [{"type": "?"}]}, "operations[0].type"),
        ({"manifest": {"url": "https://a.example/m"}, "operations": [], "webhook_url": 5}, "webhook_url"),
    ],
    ids=["no manifest", "no URL", "a private address", "no operation", "no webhook"],
)
def test_what_is_no_bulk(server: Server, body: dict[str, Any], place: str) -> None:
    reply = server.post(body, "/v1/bulk")
    assert reply.status == 400
    assert place in [detail["path"] for detail in reply.json["details"]]


def test_who_may_not_look(server: Server, manifest: Manifest, pictures: PictureServer) -> None:
    reply = bulk(server, manifest([{"url": f"{pictures.url}/photo.png"}]))
    ended(server, reply)
    with server.books() as books:
        key = new_key(books, 5)
    for path in (f"/v1/jobs/{reply.json['job_id']}", f"/v1/bulk/{reply.json['job_id']}/outputs"):
        assert server.get(path, key=key).status == 404


def test_more_than_there_are_credits_for(server: Server, manifest: Manifest, pictures: PictureServer) -> None:
    listed = manifest([{"url": f"{pictures.url}/photo.png?{number}"} for number in range(3)])
    with server.books() as books:
        key = new_key(books, 1)
    reply = server.post({"manifest": listed, "operations": []}, "/v1/bulk", key=key)
    job_path = f"/v1/jobs/{reply.json['job_id']}"
    give_up_at = time.monotonic() + 60
    while not server.get(job_path, key=key).json["data"]["ended_at"] and time.monotonic() < give_up_at:
        time.sleep(0.1)
    job = server.get(job_path, key=key).json["data"]
    assert (job["status"], job["error"]["code"]) == ("failed", "insufficient_credits")


def test_a_bulk_that_is_cancelled_costs_nothing_and_is_done_when_it_is_replayed(
    server: Server, manifest: Manifest
) -> None:
    slow = PictureServer()
    try:
        before = balance(server)
        reply = bulk(server, manifest([{"url": f"{slow.url}/slow/photo.png?{number}"} for number in range(3)]))
        path = f"/v1/jobs/{reply.json['job_id']}"
        give_up_at = time.monotonic() + 60
        while balance(server) != before - 3 and time.monotonic() < give_up_at:
            time.sleep(0.05)
        assert balance(server) == before - 3, "its chunk holds credits"
        job = server.post(b"", f"{path}/cancel").json["data"]
        assert (job["status"], balance(server)) == ("cancelled", before)
        slow.may_go_on.set()
        assert server.post(b"", f"{path}/replay").json["data"]["id"] == job["id"]
        again = end_of(server, path)
        assert (again["status"], again["items"]) == ("succeeded", {"total": 3, "done": 3, "failed": 0})
        assert balance(server) == before - 3
        assert len(lines(server.get(f"/v1/bulk/{job['id']}/outputs"))) == 6
    finally:
        slow.close()
