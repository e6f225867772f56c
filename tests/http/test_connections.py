"""What is no proper HTTP: refused in the shape of the contract, or understood where clients may mean it."""

import base64
import json
import socket
from typing import Any

import pytest
from picture_server import PICTURES
from server import TRANSFORM, Server

BODY = json.dumps({"file": {"base64": base64.b64encode(PICTURES["photo.png"]).decode()}, "operations": []}).encode()
REFUSED = {
    "no HTTP at all": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method that is none": b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path beyond ASCII": "GET /ä HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "a path that can't be read": b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
    "a space in a name": b"GET / HTTP/1.1\r\nHost: x\r\nContent Length: 1\r\n\r\n",
    "a zero byte in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    "a length that is none": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a length beyond all": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a length and chunks": b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown encoding": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: smoke\r\n\r\n",
    "a chunk that is none": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
}


def talk(server: Server, *pieces: bytes) -> bytes:
    """Say something, and give all that is answered until the server hangs up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def parsed(answer: bytes) -> tuple[int, dict[str, str], Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert int(headers["content-length"]) == len(body)
    return int(first.split(" ")[1]), headers, json.loads(body)


def check(answer: bytes, status: int, code: str) -> None:
    found, headers, said = parsed(answer)
    assert found == status
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"
    assert headers["x-request-id"] == said["request_id"]
    assert set(said) == {"success", "error", "code", "details", "request_id"}
    assert said["success"] is False
    assert isinstance(said["error"], str)
    assert said["code"] == code


@pytest.mark.parametrize("said", REFUSED.values(), ids=REFUSED)
def test_what_is_no_request(server: Server, said: bytes) -> None:
    check(talk(server, said), 400, "invalid_request")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health/live HTTP/1.1\r\nA: " + b"b" * 1_000_000,
        b"GET /health/live HTTP/1.1\r\n" + b"A: b\r\n" * 100_000,
        b"GET /" + b"a" * 1_000_000,
    ],
    ids=["one header without end", "headers without end", "a path without end"],
)
def test_a_head_without_end_fills_no_memory(server: Server, head: bytes) -> None:
    check(talk(server, head), 413, "too_large")


def test_a_head_in_small_pieces_without_end(server: Server) -> None:
    pieces = [b"GET /health/live HTTP/1.1\r\n", *[b"A: " + b"b" * 1000 + b"\r\n"] * 66]
    check(talk(server, *pieces), 413, "too_large")


def test_a_large_head_that_ends(server: Server) -> None:
    answer = talk(server, b"GET /health/live HTTP/1.1\r\nConnection: close\r\nA: " + b"b" * 60_000 + b"\r\n\r\n")
    assert parsed(answer)[0] == 200


def test_bad_words_after_a_good_request(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"and what is this?\r\n\r\n")
        check(b"".join(iter(lambda: connection.recv(65536), b"")), 400, "invalid_request")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_who_names_no_host(server: Server, version: str) -> None:
    said = f"GET /health/live HTTP/{version}\r\nConnection: close\r\n\r\n"
    assert parsed(talk(server, said.encode()))[0] == 200


def offering(protocol: str, more: str = "") -> bytes:
    return (
        f"POST {TRANSFORM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: Upgrade, close\r\n"
        f"Upgrade: {protocol}\r\n{more}"
    ).encode()


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "TLS/1.2"])
@pytest.mark.parametrize("pause", [False, True], ids=["at once", "piece by piece"])
def test_an_offer_to_speak_another_protocol_is_passed_over(server: Server, protocol: str, pause: bool) -> None:
    start = offering(protocol) % server.key.encode()
    plain = start + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    chunked = start + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"
    for said in (plain, chunked):
        size = 97 if pause else len(said)
        answer = talk(server, *(said[at : at + size] for at in range(0, len(said), size)))
        status, _, found = parsed(answer)
        assert status == 200, found
        assert found["data"]["width_in_px"] == 24


def test_several_requests_over_one_connection_each_with_an_offer(server: Server) -> None:
    said = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    last = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert talk(server, said, said, said + last).count(b"HTTP/1.1 200 OK") == 4


def padded_to(size_in_bytes: int) -> bytes:
    """Give a good body whose last field makes it so large, and whose text nothing could be missing from."""
    start = BODY[:-1] + b',"client":"'
    numbers = b"".join(b"%07d," % number for number in range(size_in_bytes // 8 + 1))
    return start + numbers[: size_in_bytes - len(start) - 2] + b'"}'


def asking(body: bytes, key: str, *headers: str) -> bytes:
    told = ["Host: x", f"Authorization: Bearer {key}", f"Content-Length: {len(body)}", *headers, "", ""]
    return f"POST {TRANSFORM} HTTP/1.1\r\n".encode() + "\r\n".join(told).encode() + body


def test_large_bodies_and_small_ones_take_turns_on_one_connection(server: Server) -> None:
    sizes = [70_000, 131_000, 5_000_000, 400_000, 65_536 + len(BODY), 2_000_003]
    said = b"".join(asking(padded_to(size), server.key) + asking(BODY, server.key) for size in sizes)
    said += asking(padded_to(3_000_000), server.key, "Connection: close")
    answer = talk(server, said)
    assert answer.count(b"HTTP/1.1 200 OK") == 2 * len(sizes) + 1, answer[-1000:]


def test_who_hangs_up_in_a_large_body_harms_nobody(server: Server) -> None:
    request = asking(padded_to(5_000_000), server.key)
    for share in (0.1, 0.5, 0.99):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(request[: int(len(request) * share)])
    assert parsed(talk(server, asking(BODY, server.key, "Connection: close")))[0] == 200
