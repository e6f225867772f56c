"""Requests that are answered later: accepted, done, told, fetched, ended and repeated, on both databases."""

import base64
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from banking import new_key
from picture_server import PICTURES, PictureServer
from receivers import Receiver, beside
from server import Reply, Server
from test_webhooks import data_of

from imageplane.accounts.audit import verify
from imageplane.jobs.webhook import refusal_of

PATIENCE_IN_S = 60
FLIP = [{"type": "flip"}]
ASYNC = {"Prefer": "respond-async"}
MESSAGE = "Request accepted. Results will be delivered to the provided webhook URL."


def encoded(name: str) -> dict[str, str]:
    return {"base64": base64.b64encode(PICTURES[name]).decode()}


GOOD: dict[str, Any] = {"file": encoded("photo.png"), "operations": FLIP}
BROKEN: dict[str, Any] = {"file": encoded("broken.png"), "operations": []}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with beside(Receiver()) as receiver:
        yield receiver


@pytest.fixture
def slow() -> Iterator[PictureServer]:
    with closing(PictureServer()) as pictures:
        yield pictures


@pytest.fixture
def key(workshop: Server) -> Iterator[str]:
    """Give a key of an organization with ten credits, whose books agree in the end."""
    with workshop.books() as books:
        yield new_key(books, 10)
        assert verify(books.database) == []


@pytest.fixture
def hook() -> str:
    """Give a path of the receiver that nobody else has."""
    return f"/{uuid.uuid4().hex}"


def hand_in(server: Server, key: str, body: Any = GOOD, **headers: str) -> str:
    reply = server.post(body, key=key, headers={**ASYNC, **headers})
    assert reply.status == 201, reply.body
    found: str = reply.json["job_id"]
    return found


def job_of(server: Server, job_id: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = data_of(server.get(f"/v1/jobs/{job_id}", key=key), "/v1/jobs/{job_id}")
    return found


def standing(server: Server, job_id: str, key: str, *wanted: str) -> dict[str, Any]:
    """Give a job once it stands as it is wanted."""
    until = time.monotonic() + PATIENCE_IN_S
    while time.monotonic() < until:
        found = job_of(server, job_id, key)
        if found["status"] in wanted:
            return found
        time.sleep(0.02)
    raise AssertionError(f"the job is {found}")


def ended(server: Server, job_id: str, key: str) -> dict[str, Any]:
    return standing(server, job_id, key, "succeeded", "failed", "cancelled")


def act(server: Server, job_id: str, key: str, verb: str) -> Reply:
    return server.post(b"", f"/v1/jobs/{job_id}/{verb}", key=key)


def credits_of(server: Server, key: str) -> float:
    found: float = server.get("/v1/me", key=key).json["data"]["credits"]
    return found


def listed(server: Server, key: str, query: str = "") -> Any:
    return data_of(server.get(f"/v1/jobs{query}", key=key), "/v1/jobs")


def ids_of(server: Server, key: str, query: str = "") -> list[str]:
    return [job["id"] for job in listed(server, key, query)["jobs"]]


def secrets_of(server: Server, key: str) -> list[str]:
    return [each["secret"] for each in server.get("/v1/webhooks/secrets", key=key).json["data"]["secrets"]]


def test_an_accepted_request_is_told_as_the_contract_says(
    workshop: Server, key: str, receiver: Receiver, hook: str
) -> None:
    reply = workshop.post({**GOOD, "webhook_url": receiver.url(hook)}, key=key)
    job_id = reply.json["job_id"]
    url = f"{workshop.url}/v1/jobs/{job_id}"
    assert reply.status == 201
    assert reply.json == {"success": True, "async": True, "message": MESSAGE, "job_id": job_id, "status_url": url}
    assert reply.headers["location"] == url
    assert reply.headers["content-type"] == "application/json"
    assert "x-request-id" in reply.headers
    # Credits are taken at acceptance.
    assert credits_of(workshop, key) == 9
    assert ended(workshop, job_id, key)["status"] == "succeeded"
    assert credits_of(workshop, key) == 9


def test_a_job_gives_what_a_caller_who_waits_gets(workshop: Server, key: str) -> None:
    waited = workshop.post(GOOD, key=key)
    job_id = hand_in(workshop, key, **{"X-Request-Id": "the-one"})
    job = ended(workshop, job_id, key)
    result = workshop.get(urlsplit(job["result_url"]).path, key=key)
    assert (job["status"], job["api"], job["attempts"]) == ("succeeded", "image_transformation", 1)
    assert (job["request_id"], job["error"], job["webhook_url"]) == ("the-one", None, None)
    assert job["created_at"] <= job["started_at"] <= job["ended_at"]
    assert (result.status, result.headers["content-type"]) == (200, "application/json")
    assert result.json["data"] == waited.json["data"]
    assert result.json.keys() == waited.json.keys()
    told = result.json["metadata"]
    assert told.keys() == waited.json["metadata"].keys()
    assert (told["request_id"], told["credits_charged"]) == ("the-one", 1)
    picture = workshop.get(f"/v1/jobs/{job_id}/outputs/image", key=key)
    assert (picture.status, picture.headers["content-type"]) == (200, "image/png")
    assert picture.body == base64.b64decode(waited.json["data"]["buffer"])


def test_several_outputs_are_fetched_by_their_names(workshop: Server, key: str) -> None:
    outputs = [
        {"name": "as_it_is", "operations": []},
        {"name": "small", "operations": [{"type": "convert", "format": "webp"}]},
    ]
    job_id = hand_in(workshop, key, {"file": GOOD["file"], "outputs": outputs})
    assert ended(workshop, job_id, key)["status"] == "succeeded"
    made = workshop.get(f"/v1/jobs/{job_id}/result", key=key).json["data"]["outputs"]
    assert [each["name"] for each in made] == ["as_it_is", "small"]
    for each in made:
        picture = workshop.get(f"/v1/jobs/{job_id}/outputs/{each['name']}", key=key)
        assert (picture.headers["content-type"], picture.body) == (
            each["mime_type"],
            base64.b64decode(each["buffer"]),
        )
    for name in ("image", "nothing", "%00", "%F0%9F%98%80"):
        assert workshop.get(f"/v1/jobs/{job_id}/outputs/{name}", key=key).status == 404
    assert credits_of(workshop, key) == 9


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"webhook_url": "http://app.example.com/hook"}, "webhook_url"),
        ({"webhook_url": "https://127.0.0.1/hook"}, "webhook_url"),
        ({"webhook_url": "https://169.254.169.254/latest"}, "webhook_url"),
        ({"webhook_url": "https://[::1]/hook"}, "webhook_url"),
        ({"webhook_url": "https://user:secret@app.example.com/hook"}, "webhook_url"),
        ({"webhook_url": "nonsense"}, "webhook_url"),
        ({"webhook_url": 7}, "webhook_url"),
        ({"webhook_url": "https://app.example.com/hook", "delivery": "pigeon"}, "delivery"),
        ({"webhook_url": "https://app.example.com/hook", "delivery": None}, "delivery"),
    ],
)
def test_what_can_be_no_receiver_is_refused_at_once(installation: Server, fields: dict[str, Any], path: str) -> None:
    with installation.books() as books:
        key = new_key(books, 1)
    reply = installation.post({**GOOD, **fields}, key=key)
    assert reply.status == 400, reply.body
    assert [fault["path"] for fault in reply.json["details"]] == [path]
    assert (ids_of(installation, key), credits_of(installation, key)) == ([], 1)


def test_what_is_wrong_with_the_request_is_told_at_once(workshop: Server, key: str) -> None:
    for body, status in (({"file": GOOD["file"], "operations": [{"type": "blur"}]}, 400), (b"{", 400)):
        assert workshop.post(body, key=key, headers=ASYNC).status == status
    assert (ids_of(workshop, key), credits_of(workshop, key)) == ([], 10)


def test_who_has_no_credits_is_told_at_once(workshop: Server) -> None:
    with workshop.books() as books:
        poor = new_key(books, 1)
    job_id = hand_in(workshop, poor)
    reply = workshop.post(GOOD, key=poor, headers=ASYNC)
    assert (reply.status, reply.json["error"]) == (402, "Insufficient credits")
    assert ended(workshop, job_id, poor)["status"] == "succeeded"
    assert ids_of(workshop, poor) == [job_id]


@pytest.fixture(
    params=[
        ("away/photo.png", "unreachable_source", 2),
        ("nothing.png", "unreachable_source", 1),
        ("broken.png", "undecodable_image", 1),
    ],
    ids=["away", "missing", "broken"],
)
def failing(request: pytest.FixtureRequest, pictures: PictureServer) -> tuple[Any, str, int]:
    """Give a request that must fail, the code of its error, and how often it is worth a try."""
    name, code, attempts = request.param
    return {"file": {"url": f"{pictures.url}/{name}"}, "operations": []}, code, attempts


def test_a_failure_is_told_and_costs_nothing(
    workshop: Server, key: str, failing: tuple[Any, str, int], receiver: Receiver, hook: str
) -> None:
    body, code, attempts = failing
    plain = workshop.post(body, key=key)
    job_id = hand_in(workshop, key, {**body, "webhook_url": receiver.url(hook)})
    job = ended(workshop, job_id, key)
    assert (job["status"], job["attempts"], job["result_url"]) == ("failed", attempts, None)
    assert job["error"]["code"] == plain.json["code"] == code
    assert job["error"]["message"] == plain.json["error"]
    assert job["error"]["details"] == plain.json["details"]
    assert credits_of(workshop, key) == 10
    (message,) = receiver.waited_for(hook)
    assert json.loads(message.body) == {
        "success": False,
        "api": "image_transformation",
        "error": {"message": plain.json["error"]},
    }
    assert refusal_of(message.headers, message.body, secrets_of(workshop, key), time.time()) is None
    for path in ("result", "outputs/image"):
        assert workshop.get(f"/v1/jobs/{job_id}/{path}", key=key).status == 404


def test_a_webhook_has_the_reply_and_its_api(workshop: Server, key: str, receiver: Receiver, hook: str) -> None:
    job_id = hand_in(workshop, key, {**GOOD, "webhook_url": receiver.url(hook)})
    (message,) = receiver.waited_for(hook)
    result = workshop.get(f"/v1/jobs/{job_id}/result", key=key).json
    assert json.loads(message.body) == {**result, "api": "image_transformation"}
    assert result["success"] is True
    assert {"buffer", "mime_type"} <= result["data"].keys()
    assert message.headers["content-type"] == "application/json"
    assert refusal_of(message.headers, message.body, secrets_of(workshop, key), time.time()) is None
    assert refusal_of(message.headers, message.body + b" ", secrets_of(workshop, key), time.time()) is not None


def test_a_webhook_can_have_a_link_in_place_of_the_bytes(
    workshop: Server, key: str, receiver: Receiver, hook: str
) -> None:
    wish = {"webhook_url": receiver.url(f"{hook}?token=s3cret"), "delivery": "link"}
    job_id, other = hand_in(workshop, key, {**GOOD, **wish}), hand_in(workshop, key)
    (message,) = receiver.waited_for(f"{hook}?token=s3cret")
    told = json.loads(message.body)
    assert (told["success"], told["api"]) == (True, "image_transformation")
    assert told["data"]["mime_type"] == "image/png"
    assert "buffer" not in told["data"]
    link = told["data"]["url"].removeprefix(workshop.url)
    assert link.startswith(f"/v1/jobs/{job_id}/outputs/image?")
    picture = workshop.request("GET", link)
    result = workshop.get(f"/v1/jobs/{job_id}/result", key=key).json
    assert (picture.status, picture.headers["content-type"]) == (200, "image/png")
    assert picture.body == base64.b64decode(result["data"]["buffer"])
    job = job_of(workshop, job_id, key)
    assert (job["delivery"], job["webhook_url"]) == ("link", f"{receiver.url(hook)}?…")
    assert ended(workshop, other, key)["status"] == "succeeded"
    last = link[-1]
    for wrong in (
        link[:-1] + ("A" if last != "A" else "B"),
        link.replace(job_id, other),
        link.replace("/image?", "/other?"),
        link.replace("expires=", "expires=9"),
        link.partition("&signature=")[0] + "&signature=",
    ):
        reply = workshop.request("GET", wrong)
        assert (reply.status, reply.json["code"]) == (403, "invalid_link"), wrong
    assert workshop.request("GET", link.partition("?")[0]).status == 401


def test_links_to_several_outputs_open_each_its_own(workshop: Server, key: str, receiver: Receiver, hook: str) -> None:
    outputs = [{"name": name, "operations": FLIP} for name in ("one", "other")]
    wish = {"webhook_url": receiver.url(hook), "delivery": "link"}
    hand_in(workshop, key, {"file": GOOD["file"], "outputs": outputs, **wish})
    (message,) = receiver.waited_for(hook)
    one, other = json.loads(message.body)["data"]["outputs"]
    for each in (one, other):
        assert "buffer" not in each
        assert workshop.request("GET", each["url"].removeprefix(workshop.url)).status == 200
    crossed = one["url"].partition("?")[0] + "?" + other["url"].partition("?")[2]
    assert workshop.request("GET", crossed.removeprefix(workshop.url)).status == 403


def test_the_same_idempotency_key_is_the_same_job(workshop: Server, key: str) -> None:
    name = {"Idempotency-Key": uuid.uuid4().hex}
    replies: list[Reply] = []
    threads = [
        threading.Thread(target=lambda: replies.append(workshop.post(GOOD, key=key, headers={**ASYNC, **name})))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {reply.status for reply in replies} <= {201, 409}
    (job_id,) = ids_of(workshop, key)
    again = workshop.post(GOOD, key=key, headers={**ASYNC, **name})
    assert (again.status, again.json["job_id"], again.headers["idempotent-replayed"]) == (201, job_id, "true")
    assert {reply.body for reply in replies if reply.status == 201} == {again.body}
    assert again.headers["location"] == again.json["status_url"]
    other = workshop.post(BROKEN, key=key, headers={**ASYNC, **name})
    assert (other.status, other.json["code"]) == (422, "idempotency_mismatch")
    assert ended(workshop, job_id, key)["status"] == "succeeded"
    assert credits_of(workshop, key) == 9


def test_a_form_can_be_answered_later_too(workshop: Server, key: str, receiver: Receiver, hook: str) -> None:
    fields = {"operations": json.dumps(FLIP), "webhook_url": receiver.url(hook), "delivery": "link"}
    boundary = "between"
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in fields.items()
    )
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = parts.encode() + file.encode() + PICTURES["photo.png"] + f"\r\n--{boundary}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    reply = workshop.post(body, key=key, headers=kind)
    assert (reply.status, reply.json["message"]) == (201, MESSAGE)
    (message,) = receiver.waited_for(hook)
    link = json.loads(message.body)["data"]["url"].removeprefix(workshop.url)
    waited = workshop.post(GOOD, key=key).json["data"]
    assert workshop.request("GET", link).body == base64.b64decode(waited["buffer"])


def test_what_belongs_to_another_is_not_there(workshop: Server, key: str) -> None:
    with workshop.books() as books:
        stranger = new_key(books, 1)
    job_id = hand_in(workshop, key)
    ended(workshop, job_id, key)
    for reply in everything_about(workshop, job_id, stranger):
        assert (reply.status, reply.json["code"]) == (404, "not_found")
    assert ids_of(workshop, stranger) == []
    assert credits_of(workshop, stranger) == 1
    assert job_of(workshop, job_id, key)["status"] == "succeeded"


@pytest.mark.parametrize(
    "nonsense",
    ["01M83SC04AAWMM3MYGG1NR0X9J", "%00", "a%00b", "%F0%9F%98%80", "%ED%A0%80", "a" * 33, "..", "%27%20OR%201", "%C3"],
)
def test_what_can_be_no_id_is_not_there(workshop: Server, nonsense: str) -> None:
    for reply in everything_about(workshop, nonsense, workshop.key):
        assert (reply.status, reply.json["code"]) == (404, "not_found")


def everything_about(server: Server, job_id: str, key: str) -> Iterator[Reply]:
    for path in ("", "/result", "/outputs/image", "/deliveries"):
        yield server.get(f"/v1/jobs/{job_id}{path}", key=key)
    for verb in ("cancel", "replay"):
        yield act(server, job_id, key, verb)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/1"),
        ("GET", "/1/result"),
        ("GET", "/1/outputs/image"),
        ("POST", "/1/cancel"),
        ("POST", "/1/replay"),
    ],
)
def test_without_a_key_nothing_is_told(server: Server, method: str, path: str) -> None:
    reply = server.request(method, f"/v1/jobs{path}")
    assert (reply.status, reply.json["error"]) == (401, "Invalid API key")


def test_jobs_are_listed_by_how_they_stand_and_in_pages(workshop: Server, key: str) -> None:
    wanted = [hand_in(workshop, key, GOOD if number % 2 else BROKEN) for number in range(5)]
    for job_id in wanted:
        ended(workshop, job_id, key)
    latest_first = sorted(wanted, reverse=True)
    assert ids_of(workshop, key) == latest_first
    assert ids_of(workshop, key, "?status=failed") == sorted(wanted[::2], reverse=True)
    assert ids_of(workshop, key, "?status=succeeded&limit=1") == [max(wanted[1::2])]
    assert ids_of(workshop, key, "?status=queued") == []
    found, query = [], "?limit=2"
    while True:
        page = listed(workshop, key, query)
        found.append([job["id"] for job in page["jobs"]])
        if page["next"] is None:
            break
        query = f"?limit=2&before={page['next']}"
    assert found == [latest_first[:2], latest_first[2:4], latest_first[4:]]
    for query in ("?status=lost", "?limit=0", "?limit=101", "?before=%00", "?before=~"):
        assert workshop.get(f"/v1/jobs{query}", key=key).status == 400


def test_what_runs_and_what_waits_can_be_cancelled(
    workshop: Server, key: str, slow: PictureServer, receiver: Receiver, hook: str
) -> None:
    body = {"file": {"url": f"{slow.url}/slow/photo.png"}, "operations": [], "webhook_url": receiver.url(hook)}
    first, second = (hand_in(workshop, key, body) for _ in range(2))
    for job_id in (first, second):
        standing(workshop, job_id, key, "running")
    third, fourth = (hand_in(workshop, key, body) for _ in range(2))
    # Two of an organization are worked on at once.
    assert job_of(workshop, third, key)["status"] == "queued"
    assert workshop.get(f"/v1/jobs/{first}/result", key=key).status == 409
    assert act(workshop, third, key, "replay").status == 409
    assert credits_of(workshop, key) == 6
    for count, job_id in enumerate((first, third), 1):
        job = data_of(act(workshop, job_id, key, "cancel"), "/v1/jobs/{job_id}/cancel", "post")
        assert (job["status"], job["result_url"], job["error"]) == ("cancelled", None, None)
        again = act(workshop, job_id, key, "cancel")
        assert (again.status, again.json["code"]) == (409, "conflict")
        assert credits_of(workshop, key) == 6 + count
    slow.may_go_on.set()
    for job_id in (second, fourth):
        assert ended(workshop, job_id, key)["status"] == "succeeded"
    receiver.waited_for(hook, 2)
    for job_id in (first, third):
        assert job_of(workshop, job_id, key)["status"] == "cancelled"
        assert workshop.get(f"/v1/jobs/{job_id}/result", key=key).status == 404
        assert workshop.get(f"/v1/jobs/{job_id}/deliveries", key=key).json["data"]["deliveries"] == []
    assert credits_of(workshop, key) == 8


def test_a_cancelled_job_can_be_done_after_all(workshop: Server, key: str, slow: PictureServer) -> None:
    job_id = hand_in(workshop, key, {"file": {"url": f"{slow.url}/slow/photo.png"}, "operations": []})
    standing(workshop, job_id, key, "running")
    assert act(workshop, job_id, key, "cancel").status == 200
    assert act(workshop, job_id, key, "replay").json["data"]["status"] == "queued"
    slow.may_go_on.set()
    assert ended(workshop, job_id, key)["status"] == "succeeded"
    assert credits_of(workshop, key) == 9


def test_what_has_ended_can_be_done_again(workshop: Server, key: str, receiver: Receiver, hook: str) -> None:
    good = hand_in(workshop, key, {**GOOD, "webhook_url": receiver.url(f"{hook}/good")})
    bad = hand_in(workshop, key, {**BROKEN, "webhook_url": receiver.url(f"{hook}/bad")})
    for job_id, path, status in ((good, "good", "succeeded"), (bad, "bad", "failed")):
        assert ended(workshop, job_id, key)["status"] == status
        receiver.waited_for(f"{hook}/{path}")
        job = data_of(act(workshop, job_id, key, "replay"), "/v1/jobs/{job_id}/replay", "post")
        assert (job["id"], job["error"]) == (job_id, None)
        one, other = receiver.waited_for(f"{hook}/{path}", 2)
        assert one.id != other.id
        assert {**json.loads(one.body), "metadata": 0} == {**json.loads(other.body), "metadata": 0}
        job = ended(workshop, job_id, key)
        assert (job["status"], job["attempts"]) == (status, 1)
    assert credits_of(workshop, key) == 8
    assert len(workshop.get(f"/v1/jobs/{good}/deliveries", key=key).json["data"]["deliveries"]) == 2


def test_who_can_not_pay_for_another_go_keeps_what_there_is(workshop: Server) -> None:
    with workshop.books() as books:
        poor = new_key(books, 1)
        job_id = hand_in(workshop, poor)
        ended(workshop, job_id, poor)
        reply = act(workshop, job_id, poor, "replay")
        assert (reply.status, reply.json["error"]) == (402, "Insufficient credits")
        assert job_of(workshop, job_id, poor)["status"] == "succeeded"
        assert workshop.get(f"/v1/jobs/{job_id}/result", key=poor).status == 200
        assert verify(books.database) == []
