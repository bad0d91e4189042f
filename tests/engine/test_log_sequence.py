"""After this line that line used to follow, in the same span, and no longer does.

The baseline ends at 600 s. Every span writes "open" and then, mostly, "close".
"""

from __future__ import annotations

import numpy as np
import pytest

from aegis.engine.findings import Finding
from aegis.engine.log_lines import read_lines
from aegis.engine.log_sequence import sequence_findings
from aegis.engine.stats import share_change_decades
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import UNDATED, LogLine
from tests.engine.telemetry import at_ns, line, logs, span, spans, window
from tests.engine.worlds import near

ASKED = window(600, 1200)


def told(
    before: tuple[int, int],
    during: tuple[int, int],
    *,
    others_during: int = 0,
    one_trace: bool = False,
    extra: list[LogLine] | None = None,
    service: str = "cart",
) -> list[Finding]:
    """(spans, spans of them that close) before and in the window, a second apart.

    `others_during` traces of the window only log something outside of any span.
    """
    lines, rows = list(extra or []), []
    for start, (opened, closed) in ((0, before), (600, during)):
        for number in range(opened):
            time, trace, name = start + number, f"t{start + number:04d}", "1"
            if one_trace and start == 600:
                trace, name = "one", str(number)
            rows.append(span(trace, name, "", service, start_s=time))
            lines.append(line(time, service, "open", "INFO", trace, name))
            if number >= opened - closed:
                lines.append(line(time + 0.5, service, "close", "INFO", trace, name))
    for number in range(others_during):
        trace = f"x{number:04d}"
        rows.append(span(trace, "1", "", service, start_s=700 + number))
        lines.append(line(700 + number, service, "other", "INFO", trace))
    tree = TraceTree.of(spans(rows))
    read = read_lines(logs(lines), tree)
    return sequence_findings(read, read.time_ns != UNDATED, ASKED.contains(read.time_ns))


def test_a_line_that_no_longer_follows_is_found() -> None:
    (found,) = told((20, 20), (10, 5))

    assert (found.source, found.signal) == ("logs", "log_sequence")
    assert (found.service, found.peer, found.unit) == ("cart", None, "share")
    assert found.subject == "open → close"
    assert found.query == '{service="cart"} |= "open"'
    assert (found.baseline, found.observed) == (1.0, 0.5)


def test_its_rows_are_the_first_lines_with_one_where_the_second_followed() -> None:
    (found,) = told((8, 8), (4, 2))

    assert found.times_ns.tolist() == [
        at_ns(second) for second in (0, 1, 2, 3, 4, 5, 6, 7, 600, 601, 602, 603)
    ]
    assert found.values.tolist() == [1.0] * 8 + [0.0, 0.0, 1.0, 1.0]


def test_it_begins_with_the_first_line_in_the_window_that_nothing_follows() -> None:
    # the spans that do not close come first, and one of the baseline does not close either
    assert told((20, 19), (10, 5))[0].onset_ns == at_ns(600)


@pytest.mark.parametrize(("opened", "count"), [(7, 0), (8, 1)])
def test_eight_lines_before_are_enough(opened: int, count: int) -> None:
    assert len(told((opened, opened), (10, 5))) == count


@pytest.mark.parametrize(("opened", "count"), [(2, 0), (3, 1)])
def test_three_lines_in_the_window_are_enough(opened: int, count: int) -> None:
    assert len(told((20, 20), (opened, 0))) == count


@pytest.mark.parametrize(("closed", "count"), [(5, 0), (6, 1)])
def test_the_second_line_must_have_followed_three_times_in_ten(closed: int, count: int) -> None:
    # 5/20 and 6/20; a fall to nothing is at least 0.25
    assert len(told((20, closed), (10, 0))) == count


@pytest.mark.parametrize(("closed", "count"), [(13, 0), (12, 1), (11, 1)])
def test_a_quarter_of_the_lines_must_have_lost_their_second(closed: int, count: int) -> None:
    # from 16/16 to 13/16 is a fall of 0.1875, to 12/16 of exactly 0.25
    assert len(told((16, 16), (16, closed))) == count


def test_a_second_line_that_comes_more_often_is_no_broken_sequence() -> None:
    assert told((20, 10), (10, 10)) == []


def test_the_surprise_is_that_of_a_share_that_changed_and_at_most_twelve_decades() -> None:
    one = np.ones(1)
    expected = share_change_decades(20.0 * one, 20.0 * one, 5.0 * one, 10.0 * one)[0]

    assert told((20, 20), (10, 5))[0].surprise == near(float(expected))
    assert told((200, 200), (100, 0))[0].surprise == 12.0


@pytest.mark.parametrize(
    ("others", "share"),
    [(0, 0.5), (10, 0.25), (30, 0.125)],  # 0.5 · 10 lines over the traces logged by the service
)
def test_the_share_is_that_of_the_traces_of_the_service_that_lost_the_line(
    others: int, share: float
) -> None:
    assert told((20, 20), (10, 5), others_during=others)[0].share == near(share)


def test_no_more_than_all_requests_are_touched() -> None:
    # ten spans of one trace: 0.5 · 10 / 1
    assert told((20, 20), (10, 5), one_trace=True)[0].share == 1.0


def test_only_lines_of_the_same_span_follow_each_other() -> None:
    lines = []
    rows = []
    for number in range(20):
        time = 1000 * (number >= 10) + number
        rows += [
            span(f"t{number:02d}", "1", "", "cart", start_s=time),
            span(f"t{number:02d}", "2", "1", "cart", start_s=time),
        ]
        lines.append(line(time, "cart", "open", "INFO", f"t{number:02d}", "1"))
        if number < 10:
            lines.append(line(time + 0.5, "cart", "close", "INFO", f"t{number:02d}", "2"))
    tree = TraceTree.of(spans(rows))
    read = read_lines(logs(lines), tree)

    assert sequence_findings(read, read.time_ns != UNDATED, ASKED.contains(read.time_ns)) == []


def test_lines_of_one_span_follow_by_time_whatever_their_order_and_service_table() -> None:
    # a third line between the two breaks the sequence although both are still written
    between = [
        line(600 + number + 0.2, "cart", "retrying", "INFO", f"t{600 + number:04d}", "1")
        for number in range(10)
    ]
    found = told((20, 20), (10, 10), extra=between)

    assert [item.subject for item in found] == ["open → close"]
    assert found[0].observed == 0.0


def test_undated_lines_and_lines_outside_of_spans_are_left_out() -> None:
    loose = [line(number, "cart", "open") for number in range(50)]
    (found,) = told((20, 20), (10, 5), extra=loose)

    assert found.baseline == 1.0
    assert len(found.times_ns) == 30


def test_without_linked_lines_nothing_is_found() -> None:
    read = read_lines(logs([line(0, "cart", "open")]), TraceTree.of(spans([])))

    assert sequence_findings(read, read.time_ns != UNDATED, ASKED.contains(read.time_ns)) == []


def test_each_service_has_its_own_sequences() -> None:
    (mine,) = told((20, 20), (10, 5), service="alpha")
    (same,) = told((20, 20), (10, 5), service="omega")

    assert (mine.service, same.service) == ("alpha", "omega")
    assert mine.digest() == same.digest()
    assert mine.surprise == same.surprise
