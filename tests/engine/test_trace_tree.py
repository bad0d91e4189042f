"""Spans put back into trees, against brute force over the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.engine.trace_tree import (
    NO_ROW,
    TraceTree,
    dense,
    operation_groups,
    span_query,
    traces_through,
)
from aegis.model.telemetry import Span, SpanTable
from tests.engine.telemetry import MS_NS, at_ns, span, spans
from tests.recordings import spans_of


def tree_of(*rows: Span) -> TraceTree:
    return TraceTree.of(spans(rows))


def by_id(tree: TraceTree, column: np.ndarray) -> dict[str, object]:
    """A column of the tree by span id."""
    return {
        name.decode(): value
        for name, value in zip(tree.spans.span_id.tolist(), column.tolist(), strict=True)
    }


def parents(tree: TraceTree) -> dict[str, str | None]:
    names = [name.decode() for name in tree.spans.span_id.tolist()]
    return {
        name: None if row == NO_ROW else names[row]
        for name, row in zip(names, tree.parent.tolist(), strict=True)
    }


class TestParents:
    def test_are_found_by_id_in_the_same_trace_only(self) -> None:
        tree = tree_of(
            span("t1", "a"),
            span("t1", "b", "a", start_s=1),
            span("t1", "c", "b", start_s=2),
            span("t2", "d", "a", start_s=1),
            span("t2", "e", "nobody"),
        )
        assert parents(tree) == {"a": None, "b": "a", "c": "b", "d": None, "e": None}
        assert tree.trace.tolist() == [0, 0, 0, 1, 1]
        assert tree.trace_count == 2

    def test_may_start_after_their_children(self) -> None:
        assert parents(tree_of(span("t", "a", start_s=5), span("t", "b", "a")))["b"] == "a"

    def test_are_nobody_for_a_span_that_names_itself(self) -> None:
        tree = tree_of(span("t", "a", "a"), span("t", "b", "a"))
        assert parents(tree) == {"a": None, "b": "a"}
        assert tree.entry.tolist() == [True, False]

    def test_of_equal_ids_are_the_first(self) -> None:
        tree = tree_of(
            span("t", "a", ms=7), span("t", "a", start_s=1, ms=8), span("t", "b", "a", start_s=2)
        )
        assert tree.parent.tolist() == [NO_ROW, NO_ROW, 0]

    @given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(-1, 4))))
    @settings(max_examples=50)
    def test_agree_with_a_search_row_by_row(self, rows: list[tuple[int, int, int]]) -> None:
        drawn = {(trace, own): parent for trace, own, parent in rows}
        table = spans(
            span(f"t{trace}", f"s{own}", f"s{parent}", start_s=own)
            for (trace, own), parent in drawn.items()
        )
        expected = [
            next(
                (
                    row
                    for row, other in enumerate(spans_of(table))
                    if (other.trace_id, other.span_id) == (one.trace_id, one.parent_span_id)
                    and row != own_row
                ),
                NO_ROW,
            )
            for own_row, one in enumerate(spans_of(table))
        ]
        assert TraceTree.of(table).parent.tolist() == expected

    def test_of_no_spans_are_none(self) -> None:
        tree = TraceTree.of(SpanTable.empty())
        assert (len(tree.parent), len(tree.trace), tree.trace_count) == (0, 0, 0)
        assert len(tree.exclusive_ms) == 0


def cells_left(one: Span, children: list[Span]) -> int:
    """Nanoseconds of a span in which no child runs, counted one by one."""
    covered = {
        time
        for child in children
        for time in range(child.start_ns, child.start_ns + child.duration_ns)
    }
    return len(set(range(one.start_ns, one.start_ns + one.duration_ns)) - covered)


nanoseconds = st.integers(0, 12)


class TestExclusiveTime:
    @given(
        st.lists(
            st.tuples(st.integers(0, 1), st.integers(-1, 5), st.integers(-3, 12), nanoseconds),
            min_size=1,
            max_size=9,
        )
    )
    @settings(max_examples=80)
    def test_is_what_no_child_covers(self, rows: list[tuple[int, int, int, int]]) -> None:
        table = spans(
            Span(f"t{trace}", f"s{own}", f"s{parent}", "shop", "GET", 100 + start, took, False)
            for own, (trace, parent, start, took) in enumerate(rows)
        )
        tree = TraceTree.of(table)
        listed = spans_of(table)
        for row, one in enumerate(listed):
            children = [listed[child] for child in np.flatnonzero(tree.parent == row)]
            assert round(tree.exclusive_ms[row] * MS_NS, 6) == cells_left(one, children)

    def test_counts_overlapping_children_once(self) -> None:
        tree = tree_of(
            span("t", "a", ms=100),
            span("t", "b", "a", start_s=0.01, ms=40),
            span("t", "c", "a", start_s=0.02, ms=10),
            span("t", "d", "a", start_s=0.04, ms=30),
            span("t", "e", "b", start_s=0.01, ms=40),
        )
        assert by_id(tree, tree.exclusive_ms) == {"a": 40, "b": 0, "c": 10, "d": 30, "e": 40}

    def test_ignores_what_children_do_outside_the_span(self) -> None:
        tree = tree_of(
            span("t", "a", start_s=1, ms=100),
            span("t", "b", "a", start_s=0.95, ms=60),
            span("t", "c", "a", start_s=1.08, ms=500),
            span("t", "d", "a", start_s=9, ms=50),
            span("t", "e", "a", start_s=0.5, ms=50),
        )
        assert by_id(tree, tree.exclusive_ms)["a"] == pytest.approx(70)

    def test_is_exact_beside_a_span_of_years(self) -> None:
        years = 20 * 365 * 86_400 * 1000.0
        rows = [span("t0", "a", ms=years), span("t0", "b", "a", ms=years / 2)]
        for number in range(1, 4):
            rows += [
                span(f"t{number}", "a", ms=10),
                span(f"t{number}", "b", "a", start_s=0.001, ms=3.000123),
                span(f"t{number}", "c", "a", start_s=0.002, ms=1),
                span(f"t{number}", "d", "a", start_s=0.003, ms=4.000123),
            ]
        tree = tree_of(*rows)
        mine = (tree.spans.span_id == b"a") & (tree.trace > 0)
        assert tree.exclusive_ms[mine].tolist() == [3.999877] * 3

    def test_of_a_span_without_children_is_its_duration(self) -> None:
        assert tree_of(span("t", "a", ms=12.5)).exclusive_ms.tolist() == [12.5]


def test_operation_groups_are_pairs_of_service_and_operation() -> None:
    tree = tree_of(
        span("t1", "a", "", "shop", "read"),
        span("t1", "b", "a", "cart", "read", start_s=1),
        span("t1", "c", "a", "cart", "write", start_s=2),
        span("t2", "d", "", "shop", "read"),
    )
    keys, place = operation_groups(tree)
    # Services cart, shop; operations read, write: 0·2+0, 0·2+1 and 1·2+0.
    assert keys.tolist() == [0, 1, 2]
    assert place.tolist() == [2, 0, 1, 2]


def test_dense_places_point_back_at_the_distinct_keys() -> None:
    keys, place = dense(np.array([7, 3, 7, 9], dtype=np.int64))
    assert keys.tolist() == [3, 7, 9]
    assert place.tolist() == [1, 0, 1, 2]


def test_traces_through_a_service_count_once_a_side() -> None:
    table = spans(
        [
            span("t1", "a", "", "shop"),
            span("t1", "b", "a", "cart", start_s=1),
            span("t1", "c", "a", "cart", start_s=2),
            span("t2", "a", "", "shop", start_s=10),
            span("t2", "b", "a", "stock", start_s=20),
            span("t3", "a", "", "shop", start_s=21),
            span("t3", "b", "a", "shop", start_s=22),
        ]
    )
    before, during = traces_through(TraceTree.of(table), table.start_ns >= at_ns(15))
    assert table.services == ("cart", "shop", "stock")
    assert before.tolist() == [1.0, 2.0, 0.0]
    assert during.tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("peer", "failed", "query"),
    [
        (None, False, '{resource.service.name="shop" && name="GET /"}'),
        ("cart", False, '{resource.service.name="shop" && name="GET /" && callee="cart"}'),
        (None, True, '{resource.service.name="shop" && name="GET /" && status=error}'),
    ],
)
def test_queries_select_by_service_operation_callee_and_status(
    peer: str | None, failed: bool, query: str
) -> None:
    assert span_query("shop", "GET /", peer, failed=failed) == query
