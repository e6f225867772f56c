"""Bodies that are too large, broken or odd: each is refused with a sentence, and none harms the server."""

import base64
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from picture_server import PICTURES
from server import TRANSFORM, Server

PNG = base64.b64encode(PICTURES["photo.png"]).decode()
REQUEST: dict[str, Any] = {"file": {"base64": PNG}, "operations": []}
FILE = f'"file":{{"base64":"{PNG}"}}'.encode()
LARGEST = 60_000_000
PIECE = bytes(1_000_000)


def with_fields(*fields: bytes) -> bytes:
    return b"{" + b",".join((FILE, *fields)) + b"}"


REFUSED = {
    "nothing": b"",
    "spaces": b"   \r\n",
    "cut off": json.dumps(REQUEST).encode()[:-1],
    "text after it": json.dumps(REQUEST).encode() + b" x",
    "a list": b"[]",
    "a string": b'"file"',
    "null": b"null",
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(REQUEST).encode(),
    "UTF-16": json.dumps(REQUEST).encode("utf-16"),
    "single quotes": json.dumps(REQUEST).replace('"', "'").encode(),
    "a comment": with_fields(b'/* no JSON */ "operations":[]'),
    "a comma too many": with_fields(b'"operations":[],'),
    "NaN": with_fields(b'"operations":[{"type":"blur","sigma":NaN}]'),
    "Infinity": with_fields(b'"operations":[{"type":"blur","sigma":Infinity}]'),
    "a number beyond all": with_fields(b'"operations":[{"type":"blur","sigma":1e999}]'),
    "a number of 5,000 digits": with_fields(b'"operations":[{"type":"blur","sigma":' + b"9" * 5000 + b"}]"),
    "no UTF-8 in a name": with_fields(b'"operations":[],"\xff":1'),
    "no UTF-8 in a value": with_fields(b'"operations":[],"x":"\xc3\x28"'),
    "no UTF-8 beside the file": b'{"file":{"base64":"' + PNG.encode() + b'","name":"\xff"},"operations":[]}',
    "no UTF-8 in the file": b'{"file":{"base64":"\xff\xfe"},"operations":[]}',
    "half a surrogate pair": with_fields(b'"operations":[{"type":"\\ud800"}]'),
    "a line break in a string": with_fields(b'"operations":[],"x":"a\nb"'),
    "deep lists": b"[" * 2_000_000,
    "deep lists that end": with_fields(b'"operations":' + b"[" * 100_000 + b"]" * 100_000),
    "deep objects": b'{"file":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "a file of another kind": b'{"file":true,"operations":[]}',
    "an operation of another kind": with_fields(b'"operations":[[{"type":"flip"}]]'),
    "a type of another kind": with_fields(b'"operations":[{"type":{"flip":1}}]'),
    "base64 of another kind": b'{"file":{"base64":["' + PNG.encode() + b'"]},"operations":[]}',
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_a_body_that_can_not_be_read(server: Server, body: bytes) -> None:
    reply = server.post(body)
    assert reply.status == 400, reply.body[:500]
    assert reply.json["code"] == "invalid_request"
    assert reply.json["error"].endswith(".") or reply.json["details"]


ACCEPTED = {
    "spaces around": b" \r\n\t" + json.dumps(REQUEST, indent=2).encode() + b"\n",
    "a name twice: the last one counts": with_fields(b'"operations":[{"type":"blur"}]', b'"operations":[]'),
    "a file twice: the last one counts": b'{"file":{"base64":"!","base64":"' + PNG.encode() + b'"},"operations":[]}',
    "another field called base64 before it": b'{"x":{"base64":"!"},' + FILE + b',"operations":[]}',
    "base64 in a string": b'{"x":"\\"base64\\":\\"",' + FILE + b',"operations":[]}',
    "escapes": with_fields(b'"\\u006fperations":[{"type":"fl\\u0069p"}]'),
    "an escaped name": b'{"file":{"\\u0062ase64":"' + PNG.encode() + b'"},"operations":[]}',
    "an odd unknown name": with_fields(b'"operations":[]', b'"\\u0000\\ud83d\\ude00":1'),
    "unknown fields without number": with_fields(b'"operations":[]', *(b'"a%d":0' % n for n in range(5000))),
    "an unknown field as large as a file": with_fields(b'"operations":[]', b'"x":"' + b"a" * 1_000_000 + b'"'),
    "whatever it says it is": json.dumps(REQUEST).encode(),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_body_that_can_be_read(server: Server, name: str) -> None:
    kind = "text/plain" if name == "whatever it says it is" else "application/json; charset=utf-8"
    reply = server.post(ACCEPTED[name], headers={"Content-Type": kind})
    assert reply.status == 200, reply.body[:500]
    assert reply.json["data"]["width_in_px"] == 24
    assert len(reply.json["metadata"]["warnings"]) <= 11


def part(name: bytes, content: bytes, *, filename: bytes = b"") -> bytes:
    filename = b'; filename="%b"' % filename if filename else b""
    return b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (name, filename, content)


UPLOAD, NONE = part(b"file", PICTURES["photo.png"], filename=b"a.png"), part(b"operations", b"[]")
BAD_FORMS = {
    "nothing": b"",
    "other bytes": b"no form at all",
    "cut off": UPLOAD + NONE[:-10],
    "no end, and only half a file": UPLOAD[:-20],
    "two files": UPLOAD + UPLOAD + NONE + b"--b--\r\n",
    "a file without bytes": part(b"file", b"", filename=b"a.png") + NONE + b"--b--\r\n",
    "a file that is none": part(b"file", PICTURES["photo.png"]) + NONE + b"--b--\r\n",
    "a part without a name": b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + UPLOAD + NONE + b"--b--\r\n",
    "operations in a file": UPLOAD + part(b"operations", b"[]", filename=b"x") + b"--b--\r\n",
    "deep operations": UPLOAD + part(b"operations", b"[" * 100_000) + b"--b--\r\n",
    "operations that are no UTF-8": UPLOAD + part(b"operations", b'["\xff"]') + b"--b--\r\n",
    "a text without end": UPLOAD + part(b"operations", b"[" + b" " * 1_100_000 + b"]") + b"--b--\r\n",
    "fields without number": UPLOAD + NONE + part(b"x", b"y") * 100 + b"--b--\r\n",
}


@pytest.mark.parametrize("body", BAD_FORMS.values(), ids=BAD_FORMS)
def test_a_form_that_can_not_be_read(server: Server, body: bytes) -> None:
    reply = server.post(body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert reply.status == 400, reply.body[:500]
    assert reply.json["code"] == "invalid_request"
    assert ".." not in reply.json["error"]


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=", "Multipart/Form-Data; x=y"])
def test_a_form_without_a_boundary(server: Server, kind: str) -> None:
    reply = server.post(UPLOAD + NONE + b"--b--\r\n", headers={"Content-Type": kind})
    assert reply.status == 400
    assert "multipart" in reply.json["error"]


@pytest.mark.parametrize("kind", ["MULTIPART/form-data; Boundary=b", 'multipart/form-data; charset=nope; boundary="b"'])
def test_a_form_that_says_what_it_is_in_its_own_way(server: Server, kind: str) -> None:
    assert server.post(UPLOAD + NONE + b"--b--\r\n", headers={"Content-Type": kind}).status == 200


def test_a_file_larger_than_its_limit(server: Server) -> None:
    body = part(b"file", PIECE * 51, filename=b"a.png") + NONE + b"--b--\r\n"
    reply = server.post(body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (reply.status, reply.json["code"]) == (413, "too_large")
    assert reply.json["details"][0]["path"] == "file"


def pieces(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield PIECE


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["declared", "chunked"])
@pytest.mark.parametrize(("key", "status"), [(None, 413), ("wrong", 401)])
def test_who_reads_only_after_sending_everything_gets_the_reply(
    server: Server, connection: str, is_chunked: bool, key: str | None, status: int
) -> None:
    headers = {"Connection": connection, "Authorization": f"Bearer {key or server.key}"}
    if not is_chunked:
        headers["Content-Length"] = str(LARGEST + 10 * len(PIECE))
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with contextlib.closing(client):
        client.request("POST", TRANSFORM, pieces(70), headers, encode_chunked=is_chunked)
        answer = client.getresponse()
        assert answer.status == status
        assert json.loads(answer.read())["code"] == ("too_large" if status == 413 else "invalid_api_key")


@pytest.mark.parametrize("head", ["Content-Length: 60000001", "Transfer-Encoding: chunked"])
def test_who_listens_while_sending_hears_at_once(server: Server, head: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        start = f"POST {TRANSFORM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n{head}\r\n\r\n"
        connection.sendall(start.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


def test_who_asks_first_is_not_told_to_send_in_vain(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        start = f"POST {TRANSFORM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
        connection.sendall(f"{start}Expect: 100-continue\r\nContent-Length: 70000000\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def test_who_asks_first_and_may_send(server: Server) -> None:
    body = json.dumps(REQUEST).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        start = f"POST {TRANSFORM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\nConnection: close\r\n"
        connection.sendall(f"{start}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_body_that_breaks_off_is_no_failure_of_the_server(server: Server) -> None:
    seen = len(server.output)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        start = (
            f"POST {TRANSFORM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\nX-Request-Id: broke-off\r\n"
        )
        connection.sendall(f"{start}Content-Length: 1000\r\n\r\n{{".encode())
        # Half closed would do for the reply, but what counts is what the log says of it.
    line = server.said('"request_id": "broke-off"')
    assert line["status"] == 400
    assert '"level": "error"' not in server.output[seen:]


def test_the_connection_goes_on_after_a_refusal(server: Server) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with contextlib.closing(client):
        for key, status in (("wrong", 401), (server.key, 200), ("wrong", 401), (server.key, 200)):
            client.request("POST", TRANSFORM, json.dumps(REQUEST), {"Authorization": f"Bearer {key}"})
            answer = client.getresponse()
            answer.read()
            assert answer.status == status
            assert answer.headers["Connection"] is None


def test_large_bodies_at_once_hold_up_nobody(server: Server) -> None:
    body = json.dumps({**REQUEST, "x": "a" * 20_000_000}).encode()
    threads = [threading.Thread(target=server.post, args=(body,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    answered = [server.request("GET", "/health/live", timeout_in_s=10).status for _ in range(20)]
    for thread in threads:
        thread.join()
    assert answered == [200] * 20
