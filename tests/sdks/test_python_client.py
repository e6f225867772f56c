"""What the Python client sends, and what it makes of replies; sync and async the same."""

import inspect
import json
import pickle
from pathlib import Path
from typing import Any

import httpx
import imageplane_client
import pytest
from imageplane_client import AsyncImageplane, Imageplane, ImageplaneError, errors, from_bytes, from_path
from scripts import KEY, PICTURE, REQUEST, URL, Played, Script, good, said, transform

STATUSES = {
    400: errors.BadRequestError, 401: errors.AuthenticationError, 402: errors.PaymentRequiredError,
    403: errors.PermissionDeniedError, 404: errors.NotFoundError, 405: errors.StatusError, 409: errors.ConflictError,
    413: errors.TooLargeError, 422: errors.UnprocessableError, 429: errors.RateLimitError, 500: errors.ServerError,
    503: errors.ServerError, 504: errors.ServerError, 599: errors.ServerError,
}  # fmt: skip


def test_the_envelope_comes_as_it_is(played: Played) -> None:
    script = Script([good()])
    assert played(script, transform) == PICTURE
    (request,) = script.requests
    assert (request.method, str(request.url)) == ("POST", f"{URL}/image-transformation/v1/transform")
    assert script.json == REQUEST
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["user-agent"].startswith("imageplane-client-python/")


def test_a_file_of_this_machine_is_sent_as_a_form(played: Played, tmp_path: Path) -> None:
    (tmp_path / "me.png").write_bytes(b"\x89PNG\xff\r\n--")
    wanted = {"outputs": [{"name": "ä", "operations": []}], "delivery": "link"}
    script = Script([good()])
    played(script, lambda client: client.transform({"file": from_path(tmp_path / "me.png"), **wanted}))
    (request,) = script.requests
    boundary = request.headers["content-type"].removeprefix("multipart/form-data; boundary=").encode()
    parts = request.content.split(b"--" + boundary)[1:-1]
    contents = {_quoted(part, b" name="): part.partition(b"\r\n\r\n")[2][:-2] for part in parts}
    assert contents[b"file"] == b"\x89PNG\xff\r\n--"
    assert json.loads(contents[b"outputs"]) == wanted["outputs"]
    assert contents[b"delivery"] == b"link"
    assert [_quoted(part, b"filename=") for part in parts if b"filename=" in part] == [b"me.png"]


def _quoted(part: bytes, name: bytes) -> bytes:
    return part.partition(name + b'"')[2].partition(b'"')[0]


def test_bytes_come_as_they_are(played: Played) -> None:
    script = Script([httpx.Response(200, content=b"RIFF", headers={"Content-Type": "image/webp"})])
    assert (
        played(script, lambda client: client.transform_to_bytes({"file": from_bytes(b"x"), "operations": []}))
        == b"RIFF"
    )
    assert script.requests[0].headers["accept"] == "image/*"


@pytest.mark.parametrize(
    ("do", "method", "path"),
    [
        (lambda client: client.job("01A"), "GET", "/v1/jobs/01A"),
        (lambda client: client.job("../me?x"), "GET", "/v1/jobs/..%2Fme%3Fx"),
        (lambda client: client.jobs(), "GET", "/v1/jobs"),
        (lambda client: client.jobs(status="failed", limit=5, before="01A"), "GET",
         "/v1/jobs?status=failed&before=01A&limit=5"),
        (lambda client: client.result("01A"), "GET", "/v1/jobs/01A/result"),
        (lambda client: client.cancel("01A"), "POST", "/v1/jobs/01A/cancel"),
        (lambda client: client.replay("01A"), "POST", "/v1/jobs/01A/replay"),
        (lambda client: client.deliveries("01A"), "GET", "/v1/jobs/01A/deliveries"),
        (lambda client: client.redeliver("msg/1"), "POST", "/v1/deliveries/msg%2F1/redeliver"),
        (lambda client: client.account(), "GET", "/v1/me"),
        (lambda client: client.usage(since="2026-11-01"), "GET", "/v1/usage?since=2026-11-01"),
        (lambda client: client.webhook_secrets(), "GET", "/v1/webhooks/secrets"),
        (lambda client: client.rotate_webhook_secret(), "POST", "/v1/webhooks/secrets/rotate"),
    ],
)  # fmt: skip
def test_where_a_method_asks(played: Played, do: Any, method: str, path: str) -> None:
    script = Script([good()])
    assert played(script, do) == PICTURE
    assert (script.requests[0].method, str(script.requests[0].url)) == (method, URL + path)
    assert "idempotency-key" not in script.requests[0].headers


def test_one_picture_of_a_job_is_bytes(played: Played) -> None:
    script = Script([httpx.Response(200, content=b"RIFF", headers={"Content-Type": "image/webp"})])
    assert played(script, lambda client: client.output("01A", "a/b")) == b"RIFF"
    assert script.requests[0].url.raw_path == b"/v1/jobs/01A/outputs/a%2Fb"


def test_a_bulk_is_handed_in_as_json(played: Played) -> None:
    script = Script([good({"success": True, "async": True, "job_id": "01A"})])
    request = {"manifest": {"url": "https://cdn.example.com/ä.jsonl"}, "operations": [{"type": "flip"}]}
    assert played(script, lambda client: client.submit_bulk(request))["job_id"] == "01A"
    assert script.json == request
    assert (script.requests[0].method, str(script.requests[0].url)) == ("POST", f"{URL}/v1/bulk")
    assert script.requests[0].headers["content-type"] == "application/json"
    assert script.requests[0].headers["idempotency-key"]


def told(lines: str) -> httpx.Response:
    return httpx.Response(200, text=lines, headers={"Content-Type": "application/jsonl"})


def test_what_is_told_of_a_bulk_line_by_line_is_a_list(played: Played) -> None:
    script = Script([told('{"name": "ä/1.webp"}\n{"name": "2\u2028"}\n'), told("")])
    assert played(script, lambda client: client.bulk_outputs("a/b")) == [{"name": "ä/1.webp"}, {"name": "2\u2028"}]
    assert played(script, lambda client: client.bulk_failures("01A")) == []
    asked = [request.url.raw_path for request in script.requests]
    assert asked == [b"/v1/bulk/a%2Fb/outputs", b"/v1/bulk/01A/failures"]


@pytest.mark.parametrize("reply", [good([]), told('{"name": "cut o'), told("\x00")], ids=["JSON", "cut", "no lines"])
def test_other_lines_are_not_given_as_those_of_a_bulk(played: Played, reply: httpx.Response) -> None:
    with pytest.raises(errors.StatusError, match="none of Imageplane's"):
        played(Script([reply]), lambda client: client.bulk_outputs("01A"))


def test_a_picture_of_a_bulk_is_found_in_its_folders_and_nowhere_else(played: Played) -> None:
    script = Script([httpx.Response(200, content=b"RIFF", headers={"Content-Type": "image/webp"})])
    assert played(script, lambda client: client.bulk_output("01A", "people/an na?.webp")) == b"RIFF"
    assert script.requests[0].url.raw_path == b"/v1/bulk/01A/outputs/people/an%20na%3F.webp"
    for name in ("..", "../../../me", "a/./b"):
        with pytest.raises(ValueError, match="folder"):
            played(script, lambda client, name=name: client.bulk_output("01A", name))
    assert len(script.requests) == 1


def test_what_is_handed_in_says_so(played: Played) -> None:
    script = Script([good({"success": True, "async": True, "job_id": "01A"})])
    request = {**REQUEST, "webhook_url": "https://app.example.com/hook"}
    assert played(script, lambda client: client.submit(request))["job_id"] == "01A"
    assert script.requests[0].headers["prefer"] == "respond-async"
    assert script.json == request


def test_a_webhook_is_for_what_is_handed_in(played: Played) -> None:
    script = Script([good()])
    with pytest.raises(ValueError, match=r"submit\(\)"):
        played(script, lambda client: client.transform({**REQUEST, "webhook_url": "https://app.example.com/hook"}))
    assert script.requests == []


def test_headers_of_a_call_go_before_those_of_the_client(played: Played) -> None:
    script = Script([good()])
    headers = {"x-request-id": "mine-1", "ACCEPT": "*/*", "user-agent": "Shop/1"}
    played(script, lambda client: client.transform(REQUEST, headers=headers))
    sent = script.requests[0].headers
    assert [sent["x-request-id"], sent.get_list("accept"), sent.get_list("user-agent")] == [
        "mine-1", ["*/*"], ["Shop/1"],
    ]  # fmt: skip


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_every_family_has_its_class(played: Played, status: int, kind: type[errors.StatusError]) -> None:
    told = {
        "success": False, "error": "A sentence.", "code": "some_code", "request_id": "req_1",
        "details": [{"path": "operations[0].sigma", "message": "expected more than 0"}],
    }  # fmt: skip
    script = Script([httpx.Response(status, json=told, headers={"Retry-After": "7"})])
    with pytest.raises(kind) as caught:
        played(script, transform)
    error = caught.value
    assert type(error) is kind
    assert (error.message, error.status, error.code, error.request_id) == ("A sentence.", status, "some_code", "req_1")
    assert error.details == told["details"]
    assert error.retry_after_in_s == 7
    assert str(error) == f"A sentence. (status {status}, some_code, req_1)"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'"no"', b"\xff", b'{"error": {"message": "no"}, "details": 7, "code": 1}']
)
def test_a_failure_told_otherwise_is_one_too(played: Played, body: bytes) -> None:
    script = Script([httpx.Response(422, content=body, headers={"X-Request-Id": "req_2"})])
    with pytest.raises(errors.UnprocessableError) as caught:
        played(script, transform)
    assert (caught.value.code, caught.value.details, caught.value.request_id) == (None, [], "req_2")


@pytest.mark.parametrize(
    ("reply", "do"),
    [
        (httpx.Response(200, text="<html>", headers={"Content-Type": "text/html"}), transform),
        (httpx.Response(200, json=[]), transform),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example.com/"}), transform),
        (good(), lambda client: client.transform_to_bytes({"file": from_bytes(b"x"), "operations": []})),
    ],
    ids=["a page", "a list", "a redirect", "JSON in place of a picture"],
)
def test_a_reply_of_somebody_else_is_no_success(played: Played, reply: httpx.Response, do: Any) -> None:
    script = Script([reply])
    with pytest.raises(errors.StatusError, match="none of Imageplane's") as caught:
        played(script, do)
    assert (caught.value.status, caught.value.code) == (reply.status_code, None)
    # The key goes nowhere else.
    assert len(script.requests) == 1


def test_a_key_and_an_address_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script([good()])
    monkeypatch.setenv("IMAGEPLANE_KEY", " ip_live_env\n")
    monkeypatch.setenv("IMAGEPLANE_BASE_URL", "https://env.example.com/images/")
    with httpx.Client(transport=httpx.MockTransport(script)) as http:
        Imageplane(http_client=http).account()
        Imageplane("ip_live_given", base_url="https://given.example.com", http_client=http).account()
    assert [(str(each.url), each.headers["authorization"]) for each in script.requests] == [
        ("https://env.example.com/images/v1/me", "Bearer ip_live_env"),
        ("https://given.example.com/v1/me", "Bearer ip_live_given"),
    ]


@pytest.mark.parametrize("kind", [Imageplane, AsyncImageplane])
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "IMAGEPLANE_KEY"),
        ({"api_key": "a\nb"}, "characters"),
        ({"api_key": "a", "base_url": "images.example.com"}, "base URL"),
        ({"api_key": "a", "base_url": "https://user:secret@images.example.com"}, "base URL"),
        ({"api_key": "a", "timeout_in_s": 0}, "timeout_in_s"),
        ({"api_key": "a", "max_retries": -1}, "max_retries"),
    ],
)
def test_what_no_client_can_be_made_of(
    kind: Any, options: dict[str, Any], match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMAGEPLANE_KEY", raising=False)
    with pytest.raises(ValueError, match=match) as caught:
        kind(**options)
    assert "secret" not in str(caught.value)


def test_no_message_tells_the_key(played: Played) -> None:
    for step in (said(500, "internal_error"), httpx.ConnectError(KEY), httpx.LocalProtocolError(f"Illegal: {KEY}")):
        with pytest.raises(ImageplaneError) as caught:
            played(Script([step]), transform, max_retries=0)
        assert KEY not in f"{caught.value!r} {caught.value}"
    client = Imageplane(KEY, base_url=URL)
    client.close()
    assert KEY not in repr(vars(client))


def test_errors_cross_from_process_to_process(played: Played) -> None:
    with pytest.raises(errors.RateLimitError) as caught:
        played(Script([said(429, "rate_limited", **{"Retry-After": "7"})]), transform, max_retries=0)
    job: Any = {"id": "01A", "status": "cancelled", "request_id": "r", "error": None}
    for error in (caught.value, errors.JobFailedError(job), errors.NetworkError("No."), errors.TimedOutError("No.")):
        found = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        assert (type(found), str(found), vars(found)) == (type(error), str(error), vars(error))


def test_both_clients_can_do_the_same() -> None:
    methods = {name: each for name, each in vars(Imageplane).items() if not name.startswith("_")}
    assert "transform" in methods
    twins = {name: each for name, each in vars(AsyncImageplane).items() if not name.startswith("_")}
    assert methods.keys() == twins.keys()
    for name, method in methods.items():
        assert inspect.signature(method) == inspect.signature(twins[name]), name
        assert inspect.iscoroutinefunction(twins[name])
    # But for the kind of http_client.
    assert inspect.signature(Imageplane).parameters.keys() == inspect.signature(AsyncImageplane).parameters.keys()


def test_what_is_exported_is_sorted_and_there() -> None:
    names = imageplane_client.__all__
    assert names == sorted(names)
    assert all(hasattr(imageplane_client, name) for name in names)
    assert {name for name in vars(errors) if name.endswith("Error")} <= set(names)


def test_a_client_closes_what_it_has_opened() -> None:
    with httpx.Client(transport=httpx.MockTransport(Script([good()]))) as http:
        with Imageplane(KEY, http_client=http) as client:
            client.account()
        assert not http.is_closed
    with Imageplane(KEY, base_url=URL) as client:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        client.account()
