"""Aegis's own work as OpenTelemetry traces, sent by a real server to a real OTLP receiver."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aegis.entrypoints.http.step_spans import StepSpans
from aegis.settings import read_settings
from tests.http.server import serving

pytestmark = [pytest.mark.loopback, pytest.mark.slow]
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Receiver:
    """An OTLP/HTTP endpoint that keeps what it is sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/traces"
                receiver.keep(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def keep(self, sent: ExportTraceServiceRequest) -> None:
        for resource in sent.resource_spans:
            told = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.services.add(told["service.name"])
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def test_a_question_is_a_trace_of_its_request_and_its_steps(receiver: Receiver, shop: Path) -> None:
    with serving(shop, AEGIS_OTLP_ENDPOINT=receiver.endpoint) as server:
        httpx.post(
            f"{server.url}/api/ops/analyze",
            json={"description": "why is it slow?"},
            headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"},
            timeout=60,
        )
        server.stop()
    spans = {one.name: one for one in receiver.spans if one.trace_id.hex() == TRACE}
    request = spans["POST /api/ops/analyze"]
    assert request.parent_span_id.hex() == "b7ad6b7169203331"
    told = {one.key: one.value for one in request.attributes}
    assert told["http.route"].string_value == "/api/ops/analyze"
    assert told["http.response.status_code"].int_value == 200
    assert spans["fastapi.endpoint"].parent_span_id == request.span_id
    assert {"read_metrics", "read_traces", "read_logs"} <= spans.keys()
    for name in ("read_metrics", "read_traces", "read_logs"):
        assert spans[name].parent_span_id == spans["fastapi.endpoint"].span_id
        assert request.start_time_unix_nano <= spans[name].start_time_unix_nano
        assert spans[name].end_time_unix_nano <= request.end_time_unix_nano
    assert receiver.services == {"ops-service"}


def test_storing_alerts_is_a_step_of_its_call(receiver: Receiver, shop: Path) -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "Slow"},
        "startsAt": "2026-11-02T02:00:00Z",
    }
    with serving(shop, AEGIS_OTLP_ENDPOINT=receiver.endpoint) as server:
        httpx.post(
            f"{server.url}/alertmanager/webhook",
            json={"version": "4", "groupKey": "g", "status": "firing", "alerts": [alert]},
            headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"},
            timeout=60,
        )
        server.stop()
    spans = {one.name: one for one in receiver.spans if one.trace_id.hex() == TRACE}
    stored = {one.key: one.value for one in spans["store_alerts"].attributes}
    assert stored["aegis.alerts"].int_value == 1
    assert "POST /alertmanager/webhook" in spans


def test_an_endpoint_that_is_down_costs_nothing_but_its_spans(shop: Path) -> None:
    with serving(shop, AEGIS_OTLP_ENDPOINT="http://127.0.0.1:9/v1/traces") as server:
        answer = server.post("/api/ops/analyze", {"description": "why is it slow?"})
        assert answer.status_code == 200
        assert server.stop() < 15


@pytest.mark.parametrize("wrong", ["collector:4318", "ftp://collector", "http://u:p@collector/"])
def test_a_wrong_endpoint_is_told_by_its_name(wrong: str) -> None:
    from aegis.model.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match="AEGIS_OTLP_ENDPOINT"):
        read_settings({"AEGIS_OTLP_ENDPOINT": wrong})


def test_steps_that_overlap_and_strange_events_break_nothing() -> None:
    spans = StepSpans()
    spans.heard({"event": "tool_end", "tool": "read_metrics"})
    spans.heard({"event": "agent_thought"})
    spans.heard({"event": "tool_start", "tool": "read_metrics"})
    spans.heard({"event": "tool_start", "tool": "read_metrics"})
    spans.heard({"event": "tool_end", "tool": "read_metrics"})
