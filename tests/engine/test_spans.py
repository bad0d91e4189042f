"""Everything the spans say, in one place."""

from __future__ import annotations

from aegis.engine.spans import span_findings
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import Span, SpanTable
from tests.engine.telemetry import at_ns, span, spans, window

WINDOW = window(1000, 1100)


def requests(count: int, start_s: float, *, own_ms: float = 10, failed: bool = False) -> list[Span]:
    """shop calls cart and fails or not; while it fails, it calls nothing else."""
    rows = []
    for number in range(count):
        trace, time = f"{start_s}-{number}", start_s + number
        rows += [
            span(trace, "a", "", "shop", "GET /", start_s=time, ms=own_ms + 10, error=failed),
            span(trace, "b", "a", "shop", "call", start_s=time, ms=own_ms),
            span(trace, "c", "b", "cart", "read", start_s=time, ms=5),
        ]
        if not failed:
            rows.append(span(trace, "d", "a", "shop", "render", start_s=time, ms=1))
    return rows


def test_spans_tell_of_time_errors_and_structure() -> None:
    rows = [*requests(40, 0), *requests(20, 1000, own_ms=60, failed=True)]
    found = span_findings(TraceTree.of(spans(rows)), WINDOW)
    assert {(item.signal, item.service, item.peer) for item in found.findings} == {
        ("call_time", "shop", "cart"),
        ("error_spans", "shop", None),
        ("call_structure", "shop", "shop"),
    }
    assert found.judged_calls == {("shop", "cart")}


def test_the_window_takes_in_its_start_and_not_its_end() -> None:
    """Calls of four seconds are judged; of three they are too few."""
    rows = [*requests(40, 0), *requests(4, 1000, own_ms=60)]
    tree = TraceTree.of(spans(rows))
    assert span_findings(tree, window(1000, 1003)).judged_calls == frozenset()
    assert span_findings(tree, window(1000, 1003.000001)).judged_calls == {("shop", "cart")}
    assert span_findings(tree, window(1000.000001, 1100)).judged_calls == frozenset()


def test_the_order_of_rows_never_matters() -> None:
    rows = [*requests(40, 0), *requests(20, 1000, own_ms=60, failed=True)]

    def told(given: list[Span]) -> list[tuple[str, float, str]]:
        found = span_findings(TraceTree.of(spans(given)), WINDOW)
        return [(item.signal, item.surprise, item.digest()) for item in found.findings]

    assert told(rows[::-1]) == told(rows)
    assert told(rows[1::2] + rows[::2]) == told(rows)


def test_findings_rest_on_rows_with_times_of_the_spans() -> None:
    rows = [*requests(40, 0), *requests(20, 1000, own_ms=60, failed=True)]
    found = span_findings(TraceTree.of(spans(rows)), WINDOW)
    assert {item.onset_ns for item in found.findings} == {at_ns(1000)}


def test_no_spans_say_nothing() -> None:
    found = span_findings(TraceTree.of(SpanTable.empty()), WINDOW)
    assert (found.findings, found.judged_calls) == ((), frozenset())
