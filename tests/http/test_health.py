"""Alive and ready: what a load balancer asks."""

import base64
import time

import psutil
from picture_server import PICTURES
from postgres import Postgres
from server import Reply, Server

PATIENCE_IN_S = 60


def until(server: Server, status: int) -> Reply:
    """Ask whether the server is ready until the answer has this status."""
    started = time.monotonic()
    while True:
        reply = server.request("GET", "/health/ready")
        if reply.status == status:
            return reply
        assert time.monotonic() - started < PATIENCE_IN_S, reply.body
        time.sleep(0.05)


def test_alive_and_ready(server: Server) -> None:
    assert server.request("GET", "/health/live").json == {"success": True, "data": {"status": "alive"}}
    assert server.request("GET", "/health/ready").json == {"success": True, "data": {"status": "ready", "engines": 1}}


def test_not_ready_without_engines_and_ready_again_without_any_request(server: Server) -> None:
    assert server.process is not None
    for engine in psutil.Process(server.process.pid).children():
        engine.kill()
    reply = until(server, 503)
    assert (reply.json["code"], reply.headers["retry-after"]) == ("busy", "1")
    assert server.request("GET", "/health/live").status == 200
    assert until(server, 200).json["data"]["engines"] == 1


def test_without_a_database_nothing_is_lost_but_time(server_on_postgresql: Server, postgres: Postgres) -> None:
    server = server_on_postgresql
    upload = {"file": {"base64": base64.b64encode(PICTURES["photo.png"]).decode()}, "operations": []}
    before = server.get("/v1/me").json["data"]["credits"]
    postgres.stop()
    try:
        reply = until(server, 503)
        assert (reply.json["code"], reply.headers["retry-after"]) == ("busy", "2")
        assert server.request("GET", "/health/live").status == 200
        for refused in (server.post(upload), server.get("/v1/usage"), server.get("/v1/me")):
            assert (refused.status, refused.json["code"]) == (503, "busy")
            assert int(refused.headers["retry-after"]) >= 1
            assert "127.0.0.1" not in refused.json["error"]
    finally:
        postgres.start()
    until(server, 200)
    assert server.get("/v1/me").json["data"]["credits"] == before
    assert server.post(upload).status == 200
    assert server.get("/v1/me").json["data"]["credits"] == before - 1
