"""Who feels what since when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pytest

from aegis.engine.findings import Finding
from aegis.engine.graph import CallGraph
from aegis.engine.impact import impact_of
from aegis.engine.proof import Docket
from aegis.engine.statements import impact_statement
from aegis.engine.symptoms import Symptoms
from aegis.engine.trace_tree import TraceTree
from aegis.model.diagnosis import Impact
from aegis.model.evidence import Evidence, Signal
from aegis.model.telemetry import Alarm, Span
from tests.engine.telemetry import at_ns, finding, span, spans, window
from tests.engine.worlds import calls_of, sick

WINDOW = window(1000, 1100)


def felt(
    *found: Finding,
    calls: str = "shop>cart cart>db",
    rows: Iterable[Span] = (),
    alarm: str | None = None,
) -> tuple[Impact, list[Evidence]]:
    """The impact of these findings, each a symptom of its service, and what it cites."""
    names = sorted({item.service for item in found})
    symptoms: dict[str, Symptoms] = {
        name: sick(findings=[item for item in found if item.service == name]) for name in names
    }
    docket = Docket(WINDOW)
    impact = impact_of(
        symptoms,
        CallGraph.of(["shop", "cart", "db"], calls_of(calls)),
        TraceTree.of(spans(rows)),
        Alarm(alarm, None),
        docket,
    )
    cited = {item.id: item for item in docket.evidence()}
    assert set(impact.evidence_ids) == set(cited)
    return impact, [cited[name] for name in impact.evidence_ids]


class TestWhoFeelsIt:
    def test_is_the_service_that_rang_however_strong_others_are(self) -> None:
        mild, strong = finding("cart", "latency", 1.0), finding("shop", "errors", 9.0)
        impact, _ = felt(mild, strong, alarm="cart")
        assert impact.service == "cart"

    def test_is_the_outermost_service_where_none_rang(self) -> None:
        found = (
            finding("cart", "latency", 9.0),
            finding("shop", "latency", 1.0),
            finding("db", "latency", 9.0),
        )
        assert felt(*found)[0].service == "shop"
        docket = Docket(WINDOW)
        symptoms = {item.service: sick(findings=[item]) for item in found}
        graph = CallGraph.of([], calls_of("shop>cart cart>db"))
        impact = impact_of(symptoms, graph, TraceTree.of(spans([])), None, docket)
        assert impact.service == "shop"

    def test_is_the_outermost_where_the_one_that_rang_shows_nothing(self) -> None:
        found = finding("cart", "latency", 9.0)
        assert felt(found, alarm="shop")[0].service == "cart"
        assert felt(found, finding("shop", "cpu", 9.0), alarm="shop")[0].service == "cart"

    def test_is_by_evidence_where_two_call_as_many(self) -> None:
        """The earlier onset decides, whatever the names are."""
        for early, late in (("cart", "shop"), ("shop", "cart")):
            found = (
                finding(early, "latency", onset_s=1010, values=(1, 3)),
                finding(late, "latency", onset_s=1020, values=(1, 4)),
            )
            assert felt(*found, calls="cart>db shop>db")[0].service == early

    def test_is_nobody_where_nothing_is_felt(self) -> None:
        impact, cited = felt(finding("cart", "cpu", 9.0))
        assert (impact.service, impact.since_ns, cited) == (None, None, [])
        assert impact.statement == impact_statement(None, None, None, None, "", None, WINDOW)


class TestWhatIsFelt:
    @pytest.mark.parametrize(
        "signal", ["errors", "error_spans", "error_logs", "latency", "traffic"]
    )
    def test_are_errors_slowness_and_lost_traffic(self, signal: Signal) -> None:
        assert felt(finding("cart", signal))[0].service == "cart"

    @pytest.mark.parametrize("signal", ["cpu", "memory", "self_time", "call_time", "log_rate"])
    def test_is_nothing_inside_a_service(self, signal: Signal) -> None:
        assert felt(finding("cart", signal, 9.0))[0].service is None

    @pytest.mark.parametrize(("surprise", "seen"), [(0.49, False), (0.5, True)])
    def test_is_half_a_decade_or_more(self, surprise: float, seen: bool) -> None:
        impact, _ = felt(finding("cart", "latency", surprise))
        assert (impact.service == "cart") is seen

    def test_is_no_view_of_a_call(self) -> None:
        assert felt(finding("cart", "latency", peer="db"))[0].service is None

    def test_is_what_its_own_findings_say(self) -> None:
        others = finding("shop", "latency", 9.0)
        docket = Docket(WINDOW)
        impact = impact_of(
            {"cart": sick(findings=[others])},
            CallGraph.of(["cart"], []),
            TraceTree.of(spans([])),
            Alarm("cart", None),
            docket,
        )
        assert impact.service is None

    def test_is_told_by_the_strongest_and_cites_two(self) -> None:
        found = (
            finding("cart", "latency", 1.0, baseline=1.0, observed=2.0, unit="s"),
            finding("cart", "errors", 3.0, baseline=0.1, observed=0.4, unit="share"),
            finding("cart", "error_logs", 2.0),
        )
        impact, cited = felt(*found, alarm="cart")
        assert [item.signal for item in cited] == ["errors", "error_logs"]
        assert impact.statement == impact_statement(
            "cart", "errors", 0.1, 0.4, "share", None, WINDOW
        )

    def test_is_by_the_data_where_surprises_are_equal(self) -> None:
        one, other = finding("cart", "latency"), finding("cart", "errors", values=(5, 6))
        expected = [item.signal for item in sorted([one, other], key=Finding.digest)]
        for found in ((one, other), (other, one)):
            _, cited = felt(*found)
            assert [item.signal for item in cited] == expected


class TestSinceWhen:
    def test_is_the_onset_of_the_strongest(self) -> None:
        found = (
            finding("cart", "errors", 3.0, onset_s=1030),
            finding("cart", "latency", 1.0, onset_s=1010),
        )
        assert felt(*found)[0].since_ns == at_ns(1030)

    def test_is_the_earliest_of_the_others_where_that_is_unknown(self) -> None:
        found = (
            finding("cart", "errors", 3.0),
            finding("cart", "latency", 2.0, onset_s=1020),
            finding("cart", "error_logs", 1.0, onset_s=1010),
        )
        impact, _ = felt(*found)
        assert impact.since_ns == at_ns(1010)
        assert impact.statement == impact_statement(
            "cart", "errors", 1.0, 2.0, "", at_ns(1010), WINDOW
        )

    def test_is_unknown_where_no_onset_is(self) -> None:
        assert felt(finding("cart", "errors"))[0].since_ns is None


def requests(
    before_ms: Sequence[float],
    during_ms: Sequence[float],
    *,
    service: str = "shop",
    step_s: float = 1,
) -> list[Span]:
    """Whole requests before the window and in it, each of one span."""
    timed = [
        *((index * step_s, ms) for index, ms in enumerate(before_ms)),
        *((1000 + index * step_s, ms) for index, ms in enumerate(during_ms)),
    ]
    return [
        span(f"{service}{time_s}", "a", "", service, start_s=time_s, ms=ms) for time_s, ms in timed
    ]


class TestWholeRequests:
    def test_that_take_longer_come_first(self) -> None:
        rows = requests([10.0] * 20, [40.0] * 20)
        impact, cited = felt(finding("shop", "errors", 9.0), rows=rows, alarm="shop")
        whole, errors = cited
        assert errors.signal == "errors"
        assert (whole.source, whole.signal, whole.service, whole.peer) == (
            "traces",
            "latency",
            "shop",
            None,
        )
        assert (whole.subject, whole.unit) == ("p95", "ms")
        assert (whole.baseline, whole.observed) == (10.0, 40.0)
        assert whole.query == '{resource.service.name="shop" && kind=entry}'
        assert whole.strength == 4.0
        assert impact.since_ns == at_ns(1000)
        assert impact.statement == impact_statement(
            "shop", "latency", 10.0, 40.0, "ms", at_ns(1000), WINDOW
        )

    def test_are_told_by_their_slowest_twentieth(self) -> None:
        # Of 21 values the 95th percentile is the 20th.
        rows = requests([10.0] * 19 + [20.0, 90.0], [10.0] * 19 + [60.0, 90.0])
        _, (whole,) = felt(rows=rows)
        assert (whole.baseline, whole.observed) == (20.0, 60.0)
        assert whole.strength == pytest.approx(2 * math.log2(3), abs=1e-4)

    @pytest.mark.parametrize(("during", "seen"), [(12.49, False), (12.5, True)])
    def test_count_when_a_quarter_slower(self, during: float, seen: bool) -> None:
        impact, _ = felt(rows=requests([10.0] * 20, [during] * 20))
        assert (impact.service == "shop") is seen

    @pytest.mark.parametrize(
        ("before", "during", "seen"), [(8, 8, True), (7, 20, False), (20, 7, False)]
    )
    def test_count_when_eight_are_on_either_side(
        self, before: int, during: int, seen: bool
    ) -> None:
        impact, _ = felt(rows=requests([10.0] * before, [40.0] * during))
        assert (impact.service == "shop") is seen

    def test_that_always_took_no_time_are_not_felt(self) -> None:
        assert felt(rows=requests([0.0] * 20, [0.0] * 20))[0].service is None

    def test_that_took_no_time_before_are_felt(self) -> None:
        _, (whole,) = felt(rows=requests([0.0] * 20, [40.0] * 20))
        assert whole.strength == pytest.approx(2 * math.log2(40e9), abs=1e-4)

    def test_are_slow_since_one_stood_out_from_nearly_all_before(self) -> None:
        # The 98th percentile of 51 values is the 50th: 20 ms.
        before = [10.0] * 49 + [20.0, 500.0]
        rows = requests(before, [10.0, 20.0, 20.5, *[60.0] * 9])
        assert felt(rows=rows)[0].since_ns == at_ns(1002)

    def test_have_no_onset_where_none_stood_out(self) -> None:
        before = [10.0] * 48 + [60.0] * 2
        impact, (whole,) = felt(rows=requests(before, [59.0] * 20))
        assert (impact.since_ns, whole.onset_ns) == (None, None)

    def test_begin_at_any_service_where_none_rang(self) -> None:
        """Time before the window counts as well: all rows are on the record."""
        rows = [
            *requests([10.0] * 20, [40.0] * 20, service="cart"),
            *requests([10.0] * 21, [40.0] * 20, service="shop"),
            *requests([10.0] * 5, [40.0] * 5, service="db"),
        ]
        impact, (whole,) = felt(rows=rows)
        assert impact.service == "shop"
        assert whole.data_window.start_ns == at_ns(0)

    @pytest.mark.parametrize(("busy", "idle"), [("cart", "shop"), ("shop", "cart")])
    def test_of_equally_many_are_those_that_take_the_most_time(self, busy: str, idle: str) -> None:
        rows = [
            *requests([10.0] * 20, [40.0] * 20, service=idle),
            *requests([10.0] * 20, [41.0] * 20, service=busy),
        ]
        assert felt(rows=rows)[0].service == busy

    def test_of_the_service_that_rang_are_those_that_enter_it(self) -> None:
        rows = []
        for number in range(40):
            time_s, ms = (number, 10.0) if number < 20 else (1000 + number, 40.0)
            rows += [
                span(f"t{number}", "a", "", "shop", start_s=time_s, ms=50),
                span(f"t{number}", "b", "a", "cart", start_s=time_s, ms=ms),
                span(f"t{number}", "c", "b", "cart", start_s=time_s, ms=9e3),
            ]
        impact, (whole,) = felt(rows=rows, alarm="cart")
        assert impact.service == "cart"
        assert (whole.baseline, whole.observed) == (10.0, 40.0)
        assert felt(rows=rows, alarm="shop")[0].service is None
        assert felt(rows=rows)[0].service is None

    def test_of_a_service_without_spans_are_not_known(self) -> None:
        rows = requests([10.0] * 20, [40.0] * 20)
        assert felt(rows=rows, alarm="db")[0].service is None

    def test_in_the_window_start_with_it_and_end_before_its_end(self) -> None:
        during = [40.0] * 8
        rows = requests([10.0] * 20, during, step_s=12.5)
        assert felt(rows=rows)[0].service == "shop"
        late = [span(f"late{number}", "a", "", "shop", start_s=1100, ms=40) for number in range(20)]
        few = requests([10.0] * 20, [40.0] * 7)
        assert felt(rows=[*few, *late])[0].service is None
