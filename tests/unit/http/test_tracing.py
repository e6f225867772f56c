"""Traces: one span a request, below the caller's own, with one child for each stop."""

import builtins
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from imageplane.errors import SettingsError
from imageplane.http.tracing import OpenTelemetry, tracing
from imageplane.http.visit import Visit

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def recorded(visit: Visit, *headers: tuple[bytes, bytes]) -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces = OpenTelemetry(provider)
    traces.record({"type": "http", "method": "POST", "headers": list(headers)}, "/transform", 422, visit)
    traces.close()
    return list(exporter.get_finished_spans())


def test_stops_lie_within_their_request_and_follow_each_other() -> None:
    visit = Visit("req_1", timings_in_ms={"decode": 2.0, "encode": 1.0}, error_code="undecodable_image")
    visit.started_at -= 0.004
    decode, encode, request = recorded(visit)
    assert [span.name for span in (decode, encode, request)] == ["decode", "encode", "POST /transform"]
    assert decode.parent is not None
    assert decode.parent.span_id == request.context.span_id
    assert request.start_time == decode.start_time
    assert decode.end_time == encode.start_time
    assert decode.end_time - decode.start_time == 2_000_000
    assert request.end_time >= encode.end_time
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/transform",
        "http.response.status_code": 422,
        "imageplane.request_id": "req_1",
        "error.type": "undecodable_image",
    }


def test_the_trace_of_the_caller_goes_on() -> None:
    (request,) = recorded(Visit("req_1"), (b"traceparent", CALLER.encode()))
    assert request.parent is not None
    assert f"{request.context.trace_id:032x}" == CALLER.split("-")[1]
    assert f"{request.parent.span_id:016x}" == CALLER.split("-")[2]


def test_without_the_extra_the_setting_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingsError, match=r"imageplane\[traces\]"):
        tracing(is_wanted=True)
    tracing(is_wanted=False).close()
