"""Two hundred requests from fifty clients at once while an engine is killed: each answered right, each charged once."""

import base64
import io
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from encoded import saved
from PIL import Image
from server import Reply, Server, serving

REQUESTS, CLIENTS, COLORS = 200, 50, 20
SIZES = ((200, 200), (320, 240), (480, 252))
PATIENCE_IN_S = 120
COME_AGAIN = (409, 429, 503)


class Ask:
    """One request: a picture of one color with noise, so that the reply tells of which picture it is."""

    def __init__(self, number: int) -> None:
        shade = number % COLORS
        self.color = (20 + shade * 10, 230 - shade * 10, 20 + shade * 67 % 210)
        self.size = SIZES[number % len(SIZES)]
        noise = np.random.default_rng(number).integers(-4, 5, (480, 640, 3))
        self.picture = saved((np.array(self.color) + noise).astype(np.uint8), "JPEG")
        self.headers = {"Idempotency-Key": f"load-{number}"} if number % 2 else {}
        self.is_multipart = number % 3 == 0
        self.operations = [
            {"type": "smart_crop", "width_in_px": self.size[0], "height_in_px": self.size[1]},
            {"type": "sharpen", "sigma": 0.5},
            {"type": "convert", "format": "webp", "quality": 85},
        ]

    def sent(self, server: Server) -> Reply:
        if not self.is_multipart:
            file = {"base64": base64.b64encode(self.picture).decode()}
            return server.post({"file": file, "operations": self.operations}, headers=self.headers)
        part = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
        body = part.format("operations", "").encode() + json.dumps(self.operations).encode() + b"\r\n"
        body += part.format("file", '; filename="a"').encode() + self.picture + b"\r\n--b--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=b", "Accept": "image/*"}
        return server.post(body, headers={**kind, **self.headers})

    def answered(self, server: Server) -> Reply:
        """Send it, and again whenever the reply says so, after as long as it says."""
        until = time.monotonic() + PATIENCE_IN_S
        while True:
            reply = self.sent(server)
            if reply.status not in COME_AGAIN or time.monotonic() > until:
                return reply
            time.sleep(float(reply.headers["retry-after"]))

    def check(self, reply: Reply) -> None:
        assert reply.status == 200, reply.body[:300]
        data = reply.body if self.is_multipart else base64.b64decode(reply.json["data"]["buffer"], validate=True)
        with Image.open(io.BytesIO(data)) as picture:
            assert (picture.format, picture.size) == ("WEBP", self.size)
            seen = np.asarray(picture.convert("RGB"), np.float64).mean(axis=(0, 1))
        assert np.abs(seen - self.color).max() < 6, "this is the picture of someone else"


def kill_an_engine(server: Server) -> None:
    assert server.process is not None
    psutil.Process(server.process.pid).children()[0].kill()


@pytest.mark.timeout(PATIENCE_IN_S * 2)
def test_fifty_clients_and_a_killed_engine(tmp_path: Path) -> None:
    asks, done = [Ask(number) for number in range(REQUESTS)], threading.Semaphore(0)

    def answered(ask: Ask) -> Reply:
        reply = ask.answered(server)
        done.release()
        return reply

    with serving(tmp_path, ENGINE__COUNT="2") as server, ThreadPoolExecutor(CLIENTS) as clients:
        before = server.get("/v1/me").json["data"]["credits"]
        replies = clients.map(answered, asks)
        for _ in range(CLIENTS):
            assert done.acquire(timeout=PATIENCE_IN_S)
        kill_an_engine(server)
        for ask, reply in zip(asks, replies, strict=True):
            ask.check(reply)
        again = [ask.sent(server) for ask in asks[1::20]]
        assert {reply.headers.get("idempotent-replayed") for reply in again} == {"true"}
        assert before - server.get("/v1/me").json["data"]["credits"] == REQUESTS
        rows = server.get("/v1/usage").json["data"]["usage"]
        assert (sum(row["requests"] for row in rows), sum(row["credits"] for row in rows)) == (REQUESTS, REQUESTS)
        assert server.request("GET", "/health/live").status == 200
        assert server.process is not None
        assert len(psutil.Process(server.process.pid).children()) <= 2
