"""What could not be seen is said, and used for nothing."""

from __future__ import annotations

import pytest

from aegis.engine.gaps import gaps_of
from aegis.model.evidence import EvidenceGap
from tests.engine.telemetry import line, logs, observations, series, span, spans, window
from tests.engine.worlds import world

ASKED = window(600, 900)
BEFORE, START, LAST, END = 0, 600, 899, 900


def told(gaps: tuple[EvidenceGap, ...]) -> list[tuple[str, str, str | None]]:
    return [(gap.source, gap.reason, gap.service) for gap in gaps]


@pytest.mark.parametrize(
    ("times_s", "reason"),
    [
        ([], None),  # nobody recorded it: that is for the collector to say
        ([BEFORE], "no_data"),
        ([END], "no_data"),
        ([BEFORE, END], "no_data"),
        ([START], "no_baseline"),
        ([START, LAST], "no_baseline"),
        ([BEFORE, START], None),
        ([LAST, END], None),
    ],
)
def test_each_source_needs_rows_in_the_window_and_outside_of_it(
    times_s: list[float], reason: str | None
) -> None:
    expected = {source: [(source, reason, None)] for source in ("metrics", "traces", "logs")}
    metrics = observations(ASKED, metrics=[series("db", "cpu", times_s, times_s=times_s)])
    traces = observations(
        ASKED, spans=spans(span(f"t{s}", "1", "", "db", start_s=s) for s in times_s)
    )
    lines = observations(ASKED, logs=logs(line(s, "db", "hello") for s in times_s))

    for source, seen in (("metrics", metrics), ("traces", traces), ("logs", lines)):
        assert told(gaps_of(seen, world())) == (expected[source] if reason else [])


def test_all_series_together_are_one_source() -> None:
    seen = observations(
        ASKED,
        metrics=[
            series("db", "cpu", [1.0], times_s=[BEFORE]),
            series("db", "memory", [1.0], times_s=[START]),
        ],
    )

    assert gaps_of(seen, world()) == ()


def test_silent_services_without_metrics_are_named_in_the_order_of_the_alphabet() -> None:
    seen = observations(ASKED, metrics=[series("cart", "x", [1, 2], times_s=[BEFORE, START])])

    found = gaps_of(seen, world(silent="db cart cache api"))

    assert told(found) == [("metrics", "no_data", name) for name in ("api", "cache", "db")]
    assert found[0].statement.en == "Metrics of api: no data in the window."


def test_more_than_three_silent_services_are_counted() -> None:
    found = gaps_of(observations(ASKED), world(silent="a b c d"))

    assert told(found) == [("metrics", "no_data", None)]
    assert found[0].statement.en.startswith("4 called services have no telemetry of their own")
    assert found[0].statement.zh.startswith("4 个")
