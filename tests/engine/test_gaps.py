"""What could not be seen is said, and used for nothing."""

from __future__ import annotations

import pytest

from aegis.engine.gaps import gaps_of
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Series
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
    assert found[0].statement.en == "api has no telemetry of its own: only its callers see it."


def test_more_than_three_silent_services_are_counted() -> None:
    found = gaps_of(observations(ASKED), world(silent="a b c d"))

    assert told(found) == [("metrics", "no_data", None)]
    assert found[0].statement.en.startswith("4 called services have no telemetry of their own")
    assert found[0].statement.zh.startswith("4 个")


def test_a_called_service_of_which_no_row_was_read_is_told_though_others_vouch_for_it() -> None:
    seen = observations(ASKED, spans=spans([span("t", "1", "", "cart", start_s=START)]))

    found = gaps_of(seen, world("cart>vault"))

    assert ("metrics", "no_data", "vault") in told(found)
    assert not any(gap.service == "cart" for gap in found)


class TestAServiceThatFellSilent:
    """Metrics of cart every 30 s all along; the window is the second quarter of an hour."""

    def heard(self, times_s: list[int], *others: Series) -> list[tuple[str, str, str | None]]:
        db = series("db", "cpu", [1.0] * len(times_s), times_s=times_s)
        seen = observations(window(900, 1800), metrics=[self.cart, db, *others])
        return told(gaps_of(seen, world()))

    cart = series("cart", "cpu", [1.0] * 60, step_s=30)

    def test_is_told_with_the_moment(self) -> None:
        db = series("db", "cpu", [1.0] * 30, step_s=30)
        seen = observations(window(900, 1800), metrics=[self.cart, db])

        (gap,) = gaps_of(seen, world())

        assert (gap.source, gap.reason, gap.service) == ("metrics", "stopped", "db")
        assert gap.statement.en == (
            "Metrics of db stopped at 10:14:30 UTC; until then they came all along."
        )
        assert gap.statement.zh == "db 的指标自 UTC 10:14:30 起中断，此前一直有。"

    def test_may_have_stopped_within_the_window_or_shortly_before_it(self) -> None:
        assert self.heard(list(range(0, 1200, 30))) == [("metrics", "stopped", "db")]
        assert self.heard(list(range(-600, 600, 30))) == [("metrics", "stopped", "db")]

    @pytest.mark.parametrize(
        "times_s",
        [
            list(range(0, 1800, 30)),  # goes on
            list(range(0, 1560, 30)),  # nine samples missing
            list(range(-2000, -100, 30)),  # long gone before the window
            list(range(0, 900, 120)),  # too few a minute to miss any
            list(range(600, 660, 2)),  # a burst
            [],
        ],
    )
    def test_is_one_whose_rows_are_missed(self, times_s: list[int]) -> None:
        assert self.heard(times_s) == []

    def test_must_have_told_in_each_fifth_of_the_time_before(self) -> None:
        in_fifths = [360 * fifth + second for fifth in range(5) for second in (300, 310)]
        db, longer = series("db", "cpu", [1.0] * 10, times_s=in_fifths), [1.0] * 120
        cart = series("cart", "cpu", longer, step_s=30)
        seen = observations(window(1800, 3600), metrics=[cart, db])
        assert told(gaps_of(seen, world())) == [("metrics", "stopped", "db")]
        # The first fifth ends at second 170; one row at the very beginning is before it.
        assert self.heard(list(range(200, 900, 30))) == []
        assert self.heard([-10, *range(200, 900, 30)]) == []

    def test_of_a_short_window_may_have_stopped_a_quarter_of_an_hour_before(self) -> None:
        often = list(range(0, 1200, 2))
        db = series("db", "cpu", [1.0] * len(often), times_s=often)
        cart = series("cart", "cpu", [1.0] * 900, step_s=2)
        seen = observations(window(1740, 1800), metrics=[cart, db])
        assert told(gaps_of(seen, world())) == [("metrics", "stopped", "db")]

    def test_is_not_heard_by_a_row_at_the_end_of_the_window(self) -> None:
        assert self.heard([*range(0, 900, 30), 1800]) == [("metrics", "stopped", "db")]

    def test_of_more_than_three_only_names_are_told(self) -> None:
        gone = [series(name, "cpu", [1.0] * 30, step_s=30) for name in "dcba"]

        found = gaps_of(observations(window(900, 1800), metrics=[self.cart, *gone]), world())

        assert told(found) == [("metrics", "stopped", None)]
        assert found[0].statement.en == ("Metrics of 4 services stopped in this time: a, b, c, d.")

    def test_is_no_news_where_the_source_told_of_nobody(self) -> None:
        seen = observations(window(1800, 2700), metrics=[self.cart])
        assert told(gaps_of(seen, world())) == [("metrics", "no_data", None)]

    def test_is_missed_by_its_spans_and_lines_too(self) -> None:
        times = range(0, 900, 30)
        rows = [span(f"d{s}", "1", "", "db", start_s=s) for s in times]
        rows += [span(f"c{s}", "1", "", "cart", start_s=s) for s in range(0, 1800, 30)]
        lines = [line(s, "db", "x") for s in times] + [line(s, "cart", "x") for s in (0, 1700)]
        seen = observations(window(900, 1800), spans=spans(rows), logs=logs(lines))
        assert told(gaps_of(seen, world())) == [
            ("traces", "stopped", "db"),
            ("logs", "stopped", "db"),
        ]
