"""What Prometheus reads."""

import base64
import re

import pytest
from picture_server import PICTURES, PictureServer
from prometheus_client.parser import text_string_to_metric_families
from server import TRANSFORM, Server

GOOD = {"file": {"base64": base64.b64encode(PICTURES["photo.png"]).decode()}, "operations": [{"type": "flip"}]}
STOPS = {"read", "hold", "source", "queue", "header", "plan", "decode", "steps", "encode"}


def samples(server: Server) -> dict[str, float]:
    page = server.request("GET", "/metrics")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/plain; version=")
    found = {}
    for family in text_string_to_metric_families(page.body.decode()):
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()) if name != "le")
            if not sample.name.endswith(("_bucket", "_created")):
                found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_everything_that_an_operator_wants_is_there(open_server: Server, pictures: PictureServer) -> None:
    open_server.post({"file": {"url": f"{pictures.url}/photo.png"}, "operations": []})
    found = samples(open_server)
    for stop in STOPS:
        assert found[f"imageplane_stop_duration_seconds_count{{stop={stop}}}"] >= 1
    assert found["imageplane_engines{}"] == 1
    assert found["imageplane_engine_starts{}"] >= 1
    assert found["imageplane_resident_memory_bytes{process=server}"] > 20_000_000
    assert found["imageplane_resident_memory_bytes{process=engines}"] > 20_000_000
    assert found["imageplane_credits_charged_total{}"] >= 1
    assert found["imageplane_requests_in_progress{}"] == 1
    assert found[f"imageplane_request_duration_seconds_count{{route={TRANSFORM}}}"] >= 1


def test_a_request_is_counted_once_where_it_belongs(open_server: Server) -> None:
    before = samples(open_server)
    for _ in range(3):
        assert open_server.post(GOOD).status == 200
    assert open_server.post({"file": {"base64": "AAAA"}, "operations": []}).status == 400
    assert open_server.post(GOOD, key="wrong").status == 401
    after = samples(open_server)

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grown(f"imageplane_requests_total{{route={TRANSFORM},status=200}}") == 3
    assert grown(f"imageplane_requests_total{{route={TRANSFORM},status=400}}") == 1
    assert grown(f"imageplane_requests_total{{route={TRANSFORM},status=401}}") == 1
    assert grown("imageplane_errors_total{code=unsupported_format}") == 1
    assert grown("imageplane_errors_total{code=invalid_api_key}") == 1
    assert grown("imageplane_credits_charged_total{}") == 3
    assert grown("imageplane_stop_duration_seconds_count{stop=encode}") == 3
    assert grown(f"imageplane_request_duration_seconds_count{{route={TRANSFORM}}}") == 5


def test_a_reply_that_is_repeated_is_not_charged_again(open_server: Server) -> None:
    before = samples(open_server)["imageplane_credits_charged_total{}"]
    for _ in range(3):
        open_server.post(GOOD, headers={"Idempotency-Key": "metrics-1"})
    assert samples(open_server)["imageplane_credits_charged_total{}"] == before + 1


@pytest.mark.parametrize("method", ["GET", "PUT", "TRACE"])
def test_callers_can_not_make_new_series(open_server: Server, method: str) -> None:
    before = set(samples(open_server))
    for number in range(5):
        open_server.request(method, f"/nowhere/{number}?x={number}")
        open_server.request(method, f"{TRANSFORM}/{number}", headers={"Authorization": f"Bearer {number}"})
    new = set(samples(open_server)) - before
    assert not [name for name in new if not re.search(r"route=none|route=/metrics|code=not_found", name)]


def test_jobs_are_told_by_status(installation: Server) -> None:
    kinds = {name for name in samples(installation) if name.startswith("imageplane_jobs")}
    assert len(kinds) == 3, kinds
