"""Queries can be pasted as they are, whatever the names in the telemetry hold."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from aegis.engine import queries
from tests.engine.diagnoses import CPU, OWN_TIME, WINDOW, evidence


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("cpu", "max by (pod) (cpu)"),
        ('cpu{a="b"}', 'max by (pod) (cpu{a="b"})'),
        ('reqs_total{a="b"}', 'sum by (pod) (rate(reqs_total{a="b"}[5m]))'),
        ("rate(reqs_total[1m])", "max by (pod) (rate(reqs_total[1m]))"),
        ('{__name__="CPU(%)"}', 'max by (pod) ({__name__="CPU(%)"})'),
        ("  ", ""),
    ],
)
def test_metrics_are_split_by_pod(query: str, expected: str) -> None:
    assert queries.per_pod(replace(CPU, query=query)) == expected


def test_a_nameless_selector_of_a_counter_is_still_a_rate() -> None:
    item = replace(CPU, subject="reqs_total", query='{__name__="reqs_total"}')
    assert queries.per_pod(item) == 'sum by (pod) (rate({__name__="reqs_total"}[5m]))'


def test_a_log_query_that_is_already_a_metric_is_left_alone() -> None:
    counted = 'sum(count_over_time({app="a"}[1m]))'
    assert queries.per_pod(evidence("l1", "log_rate", query=counted)) == counted


def test_changes_have_no_query() -> None:
    assert queries.per_pod(evidence("c1", "change")) == ""


def test_a_jaeger_search_finds_the_slow_spans_of_the_window() -> None:
    link = urlsplit(queries.jaeger_search(OWN_TIME))
    asked = parse_qs(link.query)
    assert link.path == "/search"
    assert asked == {
        "service": ["payment"],
        "operation": ["POST /pay"],
        "minDuration": ["420ms"],
        "start": [str(WINDOW.start_ns // 1000)],
        "end": [str(WINDOW.end_ns // 1000)],
    }


def test_a_jaeger_search_for_errors_asks_for_failed_spans() -> None:
    failed = evidence("t2", "error_spans", subject="", unit="per_trace")
    asked = parse_qs(urlsplit(queries.jaeger_search(failed)).query)
    assert asked["tags"] == ['{"error":"true"}']
    assert "operation" not in asked
    assert "minDuration" not in asked


def test_hostile_names_cannot_leave_their_place_in_a_query() -> None:
    hostile = 'a"} or up{x="$(rm -rf /)`'
    assert queries.pods(hostile).count('"') == 2
    assert "rm -rf" not in queries.pods(hostile)
    assert queries.rollout_history(hostile) == ""
    assert queries.rollout_history("--all") == ""
    link = queries.jaeger_search(replace(OWN_TIME, service=hostile))
    assert not set(link) & set("\"'` ${}()")


def test_code_is_fenced_on_one_line_even_around_backticks() -> None:
    assert queries.fenced("a\nb\x1b") == "`a b `"
    assert queries.fenced("{a=`b`}") == "``{a=`b`}``"


def test_the_alert_query_looks_back_over_the_window() -> None:
    assert queries.firing_alerts(WINDOW).endswith("[15m])")
