"""New or rising errors and lines that come or go; ten minutes before, ten in the window."""

from __future__ import annotations

import pytest

from aegis.engine.findings import Finding
from aegis.engine.log_lines import read_lines
from aegis.engine.logs import log_findings
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import UNDATED, LogLine, LogTable
from tests.engine.telemetry import at_ns, line, logs, span, spans, window

ASKED = window(600, 1200)
NO_SPANS = TraceTree.of(spans([]))


def every(
    start: float, end: float, count: int, body: str, level: str = "INFO", service: str = "cart"
) -> list[LogLine]:
    """`count` lines evenly over [start, end)."""
    return [
        line(start + (end - start) * index / count, service, body, level) for index in range(count)
    ]


HEARTBEAT = every(0, 1200, 120, "still alive")
"""One line every ten seconds: the recording has no hole."""


def told(*lines: list[LogLine]) -> list[Finding]:
    rows = [row for part in (HEARTBEAT, *lines) for row in part]
    return log_findings(read_lines(logs(rows), NO_SPANS), NO_SPANS, ASKED)


def changed(
    before: int, during: int, level: str = "INFO", body: str = "payment refused"
) -> list[Finding]:
    return told(every(0, 600, before, body, level), every(600, 1200, during, body, level))


def test_without_lines_the_logs_say_nothing() -> None:
    assert log_findings(read_lines(LogTable.empty(), NO_SPANS), NO_SPANS, ASKED) == []


def test_lines_written_as_often_as_before_say_nothing() -> None:
    assert told() == []
    assert changed(30, 30, "ERROR") == []


def test_an_error_that_was_not_there_before_is_found() -> None:
    (found,) = changed(0, 10, "ERROR")

    assert (found.source, found.signal, found.unit) == ("logs", "error_logs", "per_min")
    assert (found.service, found.peer) == ("cart", None)
    assert found.subject == "payment refused"
    assert found.query == '{service="cart"} |= "payment refused"'
    assert (found.baseline, found.observed) == (0.0, 1.0)  # ten in ten minutes
    assert found.share == 1.0
    # G = 2 · 10 · ln 2 = 13.863; -log10 P(Z > sqrt(13.863 / 2)) = -log10 P(Z > 2.6328)
    assert found.surprise == pytest.approx(2.3732, abs=1e-3)


def test_a_finding_rests_on_all_its_lines_and_begins_with_the_first_in_the_window() -> None:
    (found,) = changed(1, 20, "ERROR")

    assert found.times_ns.tolist() == [at_ns(0), *(at_ns(600 + 30 * i) for i in range(20))]
    assert found.values.tolist() == [1.0] * 21
    assert found.onset_ns == at_ns(600)


def test_an_error_that_rises_a_little_is_found_but_another_line_is_not() -> None:
    assert [item.signal for item in changed(100, 110, "ERROR")] == ["error_logs"]
    assert [item.signal for item in changed(100, 130, "ERROR")] == ["error_logs"]
    assert changed(100, 130, "INFO") == []


@pytest.mark.parametrize(("during", "count"), [(174, 0), (175, 1)])
def test_an_ordinary_line_must_come_clearly_more_often(during: int, count: int) -> None:
    # log2(174.5 / 100.5) = 0.796, log2(175.5 / 100.5) = 0.804, from 0.8 on
    assert [item.signal for item in changed(100, during)] == ["log_rate"] * count


@pytest.mark.parametrize(("during", "count"), [(17, 0), (18, 1)])
def test_few_lines_are_compared_with_half_a_line_more_on_each_side(during: int, count: int) -> None:
    # log2(17.5 / 10.5) = 0.737, log2(18.5 / 10.5) = 0.817
    assert [item.signal for item in changed(10, during)] == ["log_rate"] * count


@pytest.mark.parametrize(("during", "count"), [(58, 0), (57, 1)])
def test_or_clearly_less_often(during: int, count: int) -> None:
    # log2(58.5 / 100.5) = -0.781, log2(57.5 / 100.5) = -0.806
    assert [item.signal for item in changed(100, during)] == ["log_rate"] * count


def test_an_error_that_stopped_is_no_symptom() -> None:
    assert changed(100, 0, "ERROR") == []


def test_a_line_that_stays_away_has_neither_onset_nor_samples() -> None:
    (found,) = changed(100, 1)

    assert found.signal == "log_rate"
    assert (found.onset_ns, found.samples) == (None, ())
    assert (found.baseline, found.observed) == (10.0, 0.1)


def test_surprise_ends_at_twelve_decades() -> None:
    assert changed(0, 500, "ERROR")[0].surprise == 12.0


def test_the_first_three_lines_of_the_window_are_samples() -> None:
    body = "payment {} refused"
    rows = [
        line(second, "cart", body.format(name), "ERROR")
        for second, name in [(700, "2"), (610, "1"), (100, "0"), (1100, "4"), (900, "3")]
    ]

    (found,) = told(rows, every(1150, 1200, 20, body.format("9"), "ERROR"))

    assert found.samples == ("payment 1 refused", "payment 2 refused", "payment 3 refused")


def test_samples_are_cut_to_three_hundred_characters() -> None:
    (found,) = changed(0, 10, "ERROR", "x" * 299 + "yz")

    assert found.samples[0] == "x" * 299 + "y"


def test_undated_lines_count_neither_before_nor_in_the_window() -> None:
    lost = [LogLine(UNDATED, "cart", "payment refused", "ERROR")] * 50

    (found,) = told(lost, every(600, 1200, 10, "payment refused", "ERROR"))

    assert (found.baseline, found.observed) == (0.0, 1.0)
    assert len(found.times_ns) == 10


def test_lines_at_the_start_are_in_the_window_and_at_its_end_are_not() -> None:
    def at_second(second: float) -> list[LogLine]:
        return [line(second, "cart", "payment refused", "ERROR")] * 10

    assert len(told(at_second(600))) == 1
    assert told(at_second(599)) == []
    assert told(at_second(1200)) == []


def test_the_order_of_lines_and_the_names_of_services_do_not_matter() -> None:
    refused = every(600, 1200, 10, "payment refused", "ERROR", "alpha")
    calm = every(0, 1200, 60, "order paid", "INFO", "omega")
    swapped = {"alpha": "omega", "omega": "alpha"}

    (found,) = told(refused, calm)
    (reversed_rows,) = told(calm[::-1], refused[::-1])
    (renamed,) = told(
        [
            LogLine(row.time_ns, swapped[row.service], row.body, row.level)
            for row in (*refused, *calm)
        ]
    )

    assert reversed_rows.digest() == found.digest() == renamed.digest()
    assert reversed_rows.surprise == found.surprise == renamed.surprise
    assert (found.service, renamed.service) == ("alpha", "omega")


def traced(before: int, during: int, lines: list[LogLine]) -> list[Finding]:
    """Findings of lines in so many traces of the service, "b…" before and "d…" in the window."""
    rows = [span(f"b{number:03d}", "1", "", "cart", start_s=number) for number in range(before)]
    rows += [
        span(f"d{number:03d}", "1", "", "cart", start_s=600 + number) for number in range(during)
    ]
    tree = TraceTree.of(spans(rows))
    return log_findings(read_lines(logs(lines), tree), tree, ASKED)


def test_a_single_line_may_be_the_first_of_its_kind_in_many_traces() -> None:
    (found,) = traced(20, 2, [line(600, "cart", "payment refused", "ERROR", "d000")])

    assert (found.baseline, found.observed, found.unit) == (0.0, 0.5, "per_trace")


def test_lines_that_stay_away_touch_the_share_of_traces_that_lack_them() -> None:
    # one in every trace before, so 40 expected in the window; ten came
    lines = [line(n, "cart", "order paid", None, f"b{n:03d}") for n in range(20)]
    lines += [line(600 + n, "cart", "order paid", None, f"d{n:03d}") for n in range(10)]

    (found,) = traced(20, 40, lines)

    assert (found.baseline, found.observed, found.share) == (1.0, 0.25, 0.75)


def test_broken_sequences_are_told_after_rates() -> None:
    rows, lines = [], []
    for start in (0, 600):
        for number in range(20):
            time, trace = start + number, f"t{start + number:04d}"
            rows.append(span(trace, "1", "", "cart", start_s=time))
            lines.append(line(time, "cart", "open", "INFO", trace, "1"))
            if start == 0:
                lines.append(line(time + 0.5, "cart", "close", "INFO", trace, "1"))
    tree = TraceTree.of(spans(rows))

    found = log_findings(read_lines(logs(lines), tree), tree, ASKED)

    assert [(item.signal, item.subject) for item in found] == [
        ("log_rate", "close"),
        ("log_sequence", "open → close"),
    ]
