"""The parts that reading metrics is made of, each on its own."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from aegis.adapters.http_client.answers import Answer
from aegis.adapters.prometheus.answers import Remarks, Result, Row, result_of
from aegis.adapters.prometheus.batches import apart, counted, joined
from aegis.adapters.prometheus.flavour import flavour_of
from aegis.adapters.prometheus.governor import (
    MOST_ANSWER,
    USUAL_BATCHES,
    Grid,
    first_step_s,
    rate_window_s,
    shape,
    text_batches,
)
from aegis.adapters.prometheus.identity import combination, service_of
from aegis.adapters.prometheus.inventory import Inventory, MetricInfo
from aegis.adapters.prometheus.one_series import OneSeries
from aegis.model.errors import InvalidWindow, SourceRejected
from tests.recordings import between

HOUR = between(0, 60)


def answered(result: Any, **beside: Any) -> Result:
    body = {"status": "success", "data": {"resultType": "matrix", "result": result}, **beside}
    return result_of(Answer(200, "application/json", json.dumps(body).encode(), "here"))


def row(labels: dict[str, str]) -> Row:
    return Row(labels, np.array([1]), np.array([1.0]))


def test_nan_infinity_and_what_is_malformed_are_no_samples() -> None:
    values = [
        [1, "1"],
        [2, "NaN"],
        [3, "+Inf"],
        [4, "x"],
        [5],
        None,
        [6, "-2.5"],
        [6, "7"],
        [2, "1"],
    ]
    found = answered([{"metric": {"a": "b", "c": 1}, "values": values}]).rows[0]
    assert found.times_ns.tolist() == [1_000_000_000, 6_000_000_000]
    assert found.values.tolist() == [1.0, -2.5]
    assert found.labels == {"a": "b"}


def test_times_are_exact_to_the_millisecond() -> None:
    found = answered([{"metric": {}, "values": [[1772359200.123, "1"]]}]).rows[0]
    assert found.times_ns.tolist() == [1772359200_123_000_000]


@pytest.mark.parametrize("odd", [[3, "NaN"], [1, "9"], [3], "x", [None, "1"], [2e11, "1"], [3, {}]])
def test_one_sample_that_says_nothing_leaves_the_others_as_they_are(odd: object) -> None:
    found = answered([{"metric": {}, "values": [[1, "1"], [2, "2.5"], odd, [4, "-3e2"]]}]).rows[0]
    assert found.times_ns.tolist() == [1_000_000_000, 2_000_000_000, 4_000_000_000]
    assert found.values.tolist() == [1.0, 2.5, -300.0]


def test_native_histograms_are_counted_and_not_taken_for_numbers() -> None:
    found = answered([{"metric": {}, "histograms": [[1, {}]]}, {"metric": {}, "value": [1, "2"]}])
    assert found.histograms == 1
    assert len(found.rows) == 1


def test_warnings_are_cleaned_capped_and_told_once() -> None:
    remarks = Remarks()
    for _ in range(2):
        remarks.note(answered([], warnings=["a\nb", *map(str, range(9)), 7], isPartial=True))
    assert remarks.warnings == ["a b", "0", "1", "2", "3"]
    assert remarks.is_partial


@pytest.mark.parametrize("body", ["[]", '{"status":"error"}', '{"status":"success","data":{}}'])
def test_an_answer_of_another_program_is_refused(body: str) -> None:
    with pytest.raises(SourceRejected, match="here"):
        result_of(Answer(200, "application/json", body.encode(), "here"))


@pytest.mark.parametrize(
    ("buildinfo", "program", "knows_utf8"),
    [
        ({"version": "2.42.0+ds", "goVersion": "go1.19"}, "prometheus", False),
        ({"version": "3.5.0", "goVersion": "go1.24"}, "prometheus", True),
        ({"application": "Grafana Mimir", "version": "2.14.0"}, "mimir", True),
        ({"version": "0.37.2", "goVersion": "go1.23"}, "thanos", True),
        ({"version": "2.24.0"}, "victoriametrics", True),
        ({}, "unknown", True),
    ],
)
def test_buildinfo_tells_which_program_answers(
    buildinfo: dict[str, str], program: str, knows_utf8: bool
) -> None:
    found = flavour_of(buildinfo)
    assert (found.program, found.knows_utf8) == (program, knows_utf8)


def test_victoriametrics_gets_shorter_queries() -> None:
    assert flavour_of({"version": "2.24.0"}).longest_query < 16 * 1024
    assert flavour_of({"version": "3.1.0"}).longest_query > 16 * 1024


def test_expressions_are_joined_as_a_tree_and_told_apart_again() -> None:
    import promql_parser

    promql = joined({place: f'up{{a="{place}"}}' for place in range(32)})
    promql_parser.parse(promql)
    depth = max(
        promql[:place].count("(") - promql[:place].count(")") for place in range(len(promql))
    )
    assert depth <= 6
    rows = apart([row({"aegis_signal": "3", "x": "y"}), row({"aegis_signal": "no"}), row({})])
    assert list(rows) == [3]
    assert rows[3][0].labels == {"x": "y"}
    assert counted({7: "up"}) == 'label_replace(count(up), "aegis_signal", "7", "", "")'


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"service_name": "web", "job": "x"}, "web"),
        ({"service_name": " ", "job": "shop/cart"}, "cart"),
        ({"job": "web@kubernetes"}, "web"),
        ({"job": "web.shop.svc.cluster.local:8080"}, "web"),
        ({"job": "10.0.0.7:9090"}, "10.0.0.7"),
        ({"job": "eu.web"}, "eu.web"),
        ({"job": "/"}, "/"),
        ({}, ""),
    ],
)
def test_the_first_label_that_names_a_service_does(labels: dict[str, str], name: str) -> None:
    assert service_of(labels, ("service_name", "job")) == name


def test_amounts_add_up_and_of_shares_the_worst_counts() -> None:
    assert combination("http_server_requests_per_second") == "sum"
    assert combination("container_cpu_usage_cores") == "sum"
    assert combination("http_server_error_share") == "max"
    assert combination("http_server_duration_p95_seconds") == "max"


def inventory(**labels: str) -> Inventory:
    return Inventory(
        {
            name: MetricInfo(name, "counter", "", {one: frozenset[str]() for one in told.split()})
            for name, told in labels.items()
        }
    )


def test_labels_that_every_metric_has_go_into_the_selectors() -> None:
    whole = OneSeries.of(
        'sum by (a) (rate(x{c="d"}[5m])) / sum by (a) (rate(y[5m]))', inventory(x="a c", y="a")
    )
    assert whole.with_labels({"a": 'v"'}) == (
        'sum by (a) (rate(x{a="v\\"",c="d"}[5m])) / sum by (a) (rate(y{a="v\\""}[5m]))'
    )


def test_labels_that_some_metric_lacks_or_a_function_makes_filter_the_result() -> None:
    whole = OneSeries.of("x / on (a) group_left () y{}", inventory(x="a b", y="a"))
    assert whole.with_labels({"a": "1", "b": "2$"}) == (
        '(x{a="1"} / on (a) group_left () y{a="1"}) and on (b) '
        'label_replace(vector(1), "b", "2$$", "", "")'
    )
    made = 'sum by (a) (label_replace(x, "a", "$1", "b", "(.+)"))'
    assert OneSeries.of(made, inventory(x="a b")).with_labels({"a": "1"}) == (
        f'({made}) and on (a) label_replace(vector(1), "a", "1", "", "")'
    )


def test_a_label_that_a_series_lacks_is_asked_to_be_absent() -> None:
    whole = OneSeries.of("sum by (a) (x)", inventory(x="a"))
    assert whole.with_labels({"a": ""}) == "(sum by (a) (x)) and on (a) vector(1)"


def test_dotted_names_take_matchers_after_their_name() -> None:
    names = Inventory({"a.b": MetricInfo("a.b", "gauge", "", {"c.d": frozenset()})})
    whole = OneSeries.of('sum by ("c.d") ({"a.b"})', names)
    assert whole.with_labels({"c.d": "x"}) == 'sum by ("c.d") ({"a.b","c.d"="x"})'


def test_a_grid_lies_on_multiples_of_its_step_inside_the_window() -> None:
    grid = Grid(between(0.1, 10.1), 60)
    assert grid.closed == between(1, 10)
    assert grid.points == 10
    assert Grid(between(0, 10), 60).closed == between(0, 9)
    with pytest.raises(InvalidWindow):
        _ = Grid(between(0.1, 0.9), 30).closed


def test_the_step_is_the_scrape_interval_until_points_run_out() -> None:
    assert first_step_s(HOUR, 15) == 15
    day = between(0, 7 * 1440)
    step = first_step_s(day, 15)
    assert step % 15 == 0
    assert Grid(day, step).points <= 11_000
    assert Grid(day, step - 15).points > 11_000


def test_a_rate_looks_back_over_four_scrapes() -> None:
    assert rate_window_s(15) == 60
    assert rate_window_s(60) == 240
    assert rate_window_s(5) == 60
    assert rate_window_s(3600) == 1200


def test_small_plans_are_asked_whole_in_few_batches() -> None:
    found = shape(HOUR, 15, [10] * 30, [100] * 30, 60_000, is_slow=False)
    assert found.left_out == ()
    assert len(found.batches) == USUAL_BATCHES
    assert sorted(one for batch in found.batches for one in batch) == list(range(30))
    assert found.grid.step_s == 15


def test_large_plans_get_a_coarser_step_before_anything_is_left_out() -> None:
    found = shape(HOUR, 15, [500] * 30, [100] * 30, 60_000, is_slow=False)
    assert found.left_out == ()
    assert found.grid.step_s > 15
    assert found.grid.step_s % 15 == 0


def test_one_large_query_makes_the_step_coarser_until_it_fits_in_an_answer() -> None:
    found = shape(HOUR, 15, [2600, 2600], [100] * 2, 60_000, is_slow=False)
    assert found.left_out == ()
    assert found.grid.step_s > 30


def test_what_does_not_fit_at_all_is_left_out_from_the_end() -> None:
    found = shape(HOUR, 15, [3000] * 30, [100] * 30, 60_000, is_slow=False)
    kept = sorted(one for batch in found.batches for one in batch)
    assert kept == list(range(len(kept)))
    assert found.left_out == tuple(range(len(kept), 30))
    assert kept


def test_one_query_over_the_size_of_an_answer_does_not_stop_the_others() -> None:
    found = shape(HOUR, 15, [10, MOST_ANSWER, 10], [100] * 3, 60_000, is_slow=False)
    assert found.left_out == (1,)
    assert found.grid.step_s == 15


def test_where_few_requests_are_left_there_are_fewer_batches() -> None:
    found = shape(HOUR, 15, [10] * 9, [100] * 9, 60_000, is_slow=False, most_batches=2)
    assert len(found.batches) == 2
    assert found.left_out == ()


def test_what_had_no_series_when_counted_is_neither_asked_nor_left_out() -> None:
    found = shape(HOUR, 15, [10, 0, 10], [100] * 3, 60_000, is_slow=False)
    assert sorted(one for batch in found.batches for one in batch) == [0, 2]
    assert found.left_out == ()


def test_texts_are_cut_into_requests_that_the_server_accepts() -> None:
    found = shape(HOUR, 15, [1] * 30, [1000] * 30, 5_000, is_slow=False)
    assert all(len(batch) <= 5 for batch in found.batches)
    assert len(found.batches) == USUAL_BATCHES + 1
    assert found.left_out == tuple(range(25, 30))
    assert text_batches([4, 4, 4, 9], 8, 9) == [[0, 1], [2], [3]]
    assert text_batches([4, 4, 4, 9], 8, 2) == [[0, 1], [2]]


def test_a_slow_backend_gets_the_most_important_part() -> None:
    found = shape(HOUR, 15, [10] * 30, [100] * 30, 60_000, is_slow=True)
    assert sorted(one for batch in found.batches for one in batch) == list(range(18))
    assert 40 <= found.grid.points < 50
