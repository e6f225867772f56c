"""More than can be done: told at once, with a time to come again, and nobody else's affair."""

import base64
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from banking import balance_of, new_key
from PIL import Image
from server import TRANSFORM, Reply, Server, serving

from imageplane.accounts.audit import verify
from imageplane.accounts.prices import MILLICREDITS


def photo(side: int) -> str:
    noise = np.random.default_rng(side).integers(0, 256, (side // 4, side // 4, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).resize((side, side)).save(file, "JPEG", quality=90)
    return base64.b64encode(file.getvalue()).decode()


LARGE, SMALL = photo(2000), photo(80)
SLOW = {
    "file": {"base64": LARGE},
    "operations": [{"type": "denoise", "size": 15}, {"type": "convert", "format": "jpeg"}],
}
QUICK: dict[str, Any] = {"file": {"base64": SMALL}, "operations": [{"type": "flip"}]}


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server with one engine, room for a dozen photos, and little patience."""
    size_in_bytes = str(24 * len(LARGE))
    settings = {"ADMISSION__MEMORY_IN_BYTES": size_in_bytes, "HTTP__DEADLINE_IN_S": "6"}
    with serving(tmp_path_factory.mktemp("narrow"), **settings) as server:
        yield server


def flood(server: Server, key: str, count: int) -> list[Reply]:
    with ThreadPoolExecutor(count) as callers:
        return list(callers.map(lambda _: server.post(SLOW, key=key), range(count)))


def test_a_flood_is_answered_or_told_when_to_come_again_and_costs_exactly_what_was_done(narrow: Server) -> None:
    with narrow.books() as books:
        key = new_key(books, 1000)
        replies = flood(narrow, key, 60)
        done = [reply for reply in replies if reply.status == 200]
        sent_away = [reply for reply in replies if reply.status == 503]
        assert len(done) + len(sent_away) == 60
        assert done
        assert sent_away
        for reply in sent_away:
            assert reply.json["code"] == "busy"
            assert 1 <= int(reply.headers["retry-after"]) <= 300
        # Not all at the same moment.
        assert len({reply.headers["retry-after"] for reply in sent_away}) > 2
        assert balance_of(books, books.keys.ask(key).result(30)) == (1000 - len(done)) * MILLICREDITS
        assert verify(books.database) == []


def test_another_organization_is_served_during_a_flood(narrow: Server) -> None:
    with narrow.books() as books:
        flooding, quiet = new_key(books, 1000), new_key(books, 1000)
    flooded = threading.Thread(target=flood, args=(narrow, flooding, 40))
    flooded.start()
    try:
        time.sleep(1)
        assert [narrow.post(QUICK, key=quiet).status for _ in range(10)] == [200] * 10
    finally:
        flooded.join()


def test_the_server_says_that_it_lives_during_a_flood(narrow: Server) -> None:
    with narrow.books() as books:
        key = new_key(books, 1000)
    flooded = threading.Thread(target=flood, args=(narrow, key, 40))
    flooded.start()
    try:
        while flooded.is_alive():
            assert narrow.request("GET", "/health/live", timeout_in_s=5).status == 200
            time.sleep(0.05)
    finally:
        flooded.join()
    page = narrow.request("GET", "/metrics").body.decode()
    assert 'imageplane_queue_length{lane="heavy"} 0.0' in page
    assert "imageplane_held_bytes 0.0" in page


def test_bodies_that_never_come_keep_nobody_out(narrow: Server) -> None:
    """Announce more bytes than there is room for, and send none of them."""
    with narrow.books() as books:
        stuck, quiet = new_key(books, 10), new_key(books, 10)
    head = (
        f"POST {TRANSFORM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {stuck}\r\n"
        f"Content-Length: {len(LARGE)}\r\nContent-Type: application/json\r\n\r\n"
    )
    connections = [socket.create_connection(("127.0.0.1", narrow.port)) for _ in range(30)]
    try:
        for connection in connections:
            connection.sendall(head.encode())
        time.sleep(0.5)
        assert narrow.post(QUICK, key=quiet).status == 200
    finally:
        for connection in connections:
            connection.close()


def test_a_body_that_is_too_large_anyway_waits_for_no_room(narrow: Server) -> None:
    with narrow.books() as books:
        key, greedy = new_key(books, 1000), new_key(books, 10)
    flooded = threading.Thread(target=flood, args=(narrow, key, 40))
    flooded.start()
    try:
        time.sleep(1)
        length = "Content-Length: 900000000"
        head = f"POST {TRANSFORM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {greedy}\r\n{length}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", narrow.port), timeout=30) as connection:
            connection.sendall(head.encode())
            assert b" 413 " in connection.recv(100)
    finally:
        flooded.join()


def test_a_caller_who_leaves_the_line_makes_way(narrow: Server) -> None:
    with narrow.books() as books:
        key = new_key(books, 1000)
        callers = [threading.Thread(target=leave_early, args=(narrow, key)) for _ in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        until = time.monotonic() + 20
        while "imageplane_held_bytes 0.0" not in narrow.request("GET", "/metrics").body.decode():
            assert time.monotonic() < until, "work for nobody went on"
            time.sleep(0.1)
        assert narrow.post(QUICK, key=key).status == 200
        assert verify(books.database) == []


def leave_early(server: Server, key: str) -> None:
    with pytest.raises(TimeoutError):
        server.request(
            "POST",
            TRANSFORM,
            json.dumps(SLOW).encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            timeout_in_s=0.2,
        )
