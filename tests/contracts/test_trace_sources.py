"""What every trace source promises; each test runs on each implementation.

On a real Jaeger too, where AEGIS_LIVE_JAEGER_URL and AEGIS_LIVE_JAEGER_OTLP_URL name an empty one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from aegis.adapters.cases.recorded import RecordedCase
from aegis.model.telemetry import Span, TimeWindow
from aegis.ports import TraceSource
from tests.adapters.jaeger_server import JaegerServer, Release
from tests.adapters.otlp import otlp
from tests.adapters.reading_jaeger import ReadingJaeger
from tests.adapters.stand_in import standing_in
from tests.fakes import FakeTelemetry
from tests.live_backends import TRACES_IN, TRACES_OUT, live_url
from tests.recordings import MS, Recording, SmallShop, at, between, ns, span_table, spans_of

pytestmark = pytest.mark.loopback

EVERYTHING = between(-60, 120)
T1, T2, T3 = (f"{number:032x}" for number in (0xA1, 0xA2, 0xA3))
S1, S2, S3, S9 = (f"{number:016x}" for number in (1, 2, 3, 9))
SPANS = (
    Span(T2, S2, "", "a", "GET", ns(1), 5 * MS, False),
    Span(T1, S9, S1, "b", "read", ns(2), 2 * MS, True),
    Span(T1, S1, "", "a", "GET", ns(2), 4 * MS, False),
    Span(T3, S3, "", "a", "GET", ns(3), 4 * MS, False),
)
RELEASES: dict[str, Release] = {
    "Jaeger 1.57": "1.57",
    "Jaeger 2.20": "2.20",
    "Jaeger after 2.20": "next",
    "Jaeger before v3": "before v3",
    "Jaeger before v3, with UI": "before v3, with UI",
}


@pytest.fixture(params=["in memory", "case folder", *RELEASES, "real Jaeger"])
def traces(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TraceSource]:
    shop = SmallShop().recording()
    recording = Recording(
        replace(shop.header, fault_window=between(1, 3)),
        shop.metrics,
        span_table(SPANS),
        shop.logs,
    )
    if request.param == "in memory":
        yield FakeTelemetry(recording.metrics, recording.spans, recording.logs)
    elif request.param == "case folder":
        yield RecordedCase.open(recording.write(tmp_path))
    elif request.param == "real Jaeger":
        yield loaded(ReadingJaeger(live_url(TRACES_OUT)), live_url(TRACES_IN))
    else:
        with standing_in(JaegerServer(SPANS, RELEASES[request.param])) as stand_in:
            yield ReadingJaeger(stand_in.url)


def loaded(jaeger: ReadingJaeger, otlp_url: str) -> ReadingJaeger:
    """The same spans pushed again are the same spans to a reader."""
    httpx.post(f"{otlp_url}/v1/traces", json=otlp(SPANS), trust_env=False).raise_for_status()
    for _ in range(50):
        if len(asyncio.run(jaeger.read_spans(EVERYTHING))[0]) == len(SPANS):
            return jaeger
        time.sleep(0.1)
    pytest.fail("the real Jaeger does not show what it was given, or is not empty")


def test_spans_are_those_that_start_in_the_window(traces: TraceSource) -> None:
    table, gaps = asyncio.run(traces.read_spans(between(2, 3)))
    assert [(one.trace_id, one.span_id) for one in spans_of(table)] == [(T1, S1), (T1, S9)]
    assert gaps == ()


def test_spans_come_sorted_by_trace_start_and_span(traces: TraceSource) -> None:
    table, _ = asyncio.run(traces.read_spans(EVERYTHING))
    keys = [(one.trace_id, one.start_ns, one.span_id) for one in spans_of(table)]
    assert keys == sorted(keys)
    assert len(keys) == len(SPANS)


def test_a_span_keeps_all_its_fields(traces: TraceSource) -> None:
    table, _ = asyncio.run(traces.read_spans(EVERYTHING))
    assert set(spans_of(table)) == set(SPANS)


def test_everything_was_read_where_nothing_says_otherwise(traces: TraceSource) -> None:
    table, gaps = asyncio.run(traces.read_spans(EVERYTHING))
    assert (table.sampled_share, gaps) == (1.0, ())


def test_nothing_in_the_window_is_an_empty_answer_and_no_error(traces: TraceSource) -> None:
    table, gaps = asyncio.run(traces.read_spans(TimeWindow(at(50), at(60))))
    assert (len(table), gaps) == (0, ())
