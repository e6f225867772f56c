"""OpenTelemetry traces, for those who install the extra: one span a request, one below it for each stop."""

import time
from typing import TYPE_CHECKING, Final, Protocol

from starlette.datastructures import Headers
from starlette.types import Scope

from imageplane.errors import SettingsError
from imageplane.http.visit import Visit

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_NS_PER_MS: Final = 1_000_000


class Tracing(Protocol):
    """Where finished requests are told to."""

    def record(self, scope: Scope, route: str, status: int, visit: Visit) -> None:
        """Tell of one answered request."""

    def close(self) -> None:
        """Send what was not sent yet."""


class NoTracing:
    """Traces that nobody asked for."""

    def record(self, scope: Scope, route: str, status: int, visit: Visit) -> None:
        """Forget it."""

    def close(self) -> None:
        """Do nothing."""


class OpenTelemetry:
    """Spans through a provider; the caller's `traceparent` header is continued (W3C Trace Context).

    A span is written when its request is over, from the times that were measured anyway; stops stand in their order.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("imageplane")

    def record(self, scope: Scope, route: str, status: int, visit: Visit) -> None:
        """Tell of one answered request."""
        from opentelemetry import trace  # noqa: PLC0415 - an extra
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        ended_at = time.time_ns()
        at = ended_at - int(visit.elapsed_in_ms * _NS_PER_MS)
        parent = TraceContextTextMapPropagator().extract(dict(Headers(scope=scope)))
        attributes: dict[str, str | int] = {
            "http.request.method": scope["method"],
            "http.route": route,
            "http.response.status_code": status,
            "imageplane.request_id": visit.request_id,
        }
        if visit.error_code is not None:
            attributes["error.type"] = visit.error_code
        span = self._tracer.start_span(
            f"{scope['method']} {route}",
            parent,
            kind=trace.SpanKind.SERVER,
            start_time=at,
            attributes=attributes,
        )
        below = trace.set_span_in_context(span)
        for stop, spent_in_ms in visit.timings_in_ms.items():
            child = self._tracer.start_span(stop, below, start_time=at)
            at += int(spent_in_ms * _NS_PER_MS)
            child.end(at)
        span.end(ended_at)

    def close(self) -> None:
        """Send what was not sent yet."""
        self._provider.shutdown()


def tracing(*, is_wanted: bool) -> Tracing:
    """Give where requests are told to. Errors: invalid_settings, when the extra is not installed."""
    if not is_wanted:
        return NoTracing()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "IMAGEPLANE_HTTP__TRACES is on, but the extra is not installed: pip install 'imageplane[traces]'."
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "imageplane"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OpenTelemetry(provider)
