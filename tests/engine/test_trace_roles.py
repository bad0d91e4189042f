"""Entries, leaves and client spans: the roles spans play in a tree."""

from __future__ import annotations

import numpy as np
import pytest

from aegis.engine.trace_tree import (
    TraceTree,
    leaf_users,
)
from aegis.model.telemetry import Span, SpanTable
from tests.engine.telemetry import span, spans


def tree_of(*rows: Span) -> TraceTree:
    return TraceTree.of(spans(rows))


def by_id(tree: TraceTree, column: np.ndarray) -> dict[str, object]:
    """A column of the tree by span id."""
    return {
        name.decode(): value
        for name, value in zip(tree.spans.span_id.tolist(), column.tolist(), strict=True)
    }


def callees(tree: TraceTree) -> dict[str, str | None]:
    """The only other service each span calls, where there is one."""
    return {
        name: None if code == -1 else tree.spans.services[int(str(code))]
        for name, code in by_id(tree, tree.callee).items()
    }


class TestRoles:
    """shop (root a, work b, client c) -> cart (server d, database call e)."""

    rows = (
        span("t", "a", "", "shop", "GET /"),
        span("t", "b", "a", "shop", "render", start_s=1),
        span("t", "c", "a", "shop", "call cart", start_s=2),
        span("t", "d", "c", "cart", "read", start_s=3),
        span("t", "e", "d", "cart", "select", start_s=4),
    )

    def test_entry_spans_have_no_parent_in_their_service(self) -> None:
        tree = tree_of(*self.rows)
        assert by_id(tree, tree.entry) == {
            "a": True,
            "b": False,
            "c": False,
            "d": True,
            "e": False,
        }

    def test_leaf_spans_have_no_children_and_do_not_enter(self) -> None:
        tree = tree_of(*self.rows, span("t2", "f"))
        assert by_id(tree, tree.leaf) == {
            "a": False,
            "b": True,
            "c": False,
            "d": False,
            "e": True,
            "f": False,
        }

    def test_a_client_span_names_the_service_it_calls(self) -> None:
        found = callees(tree_of(*self.rows))
        assert found == {"a": None, "b": None, "c": "cart", "d": None, "e": None}

    def test_a_span_that_enters_its_service_is_no_client(self) -> None:
        tree = tree_of(
            span("t", "a", "", "shop"),
            span("t", "b", "a", "cart", start_s=1),
            span("t", "c", "b", "stock", start_s=2),
        )
        assert set(callees(tree).values()) == {None}

    @pytest.mark.parametrize(
        ("called", "callee"),
        [
            (("cart", "cart"), "cart"),
            (("cart", "stock"), None),
            (("stock", "cart", "stock"), None),
            (("shop", "stock"), "stock"),
            (("shop", "shop"), None),
        ],
    )
    def test_calls_to_several_services_name_none(
        self, called: tuple[str, ...], callee: str | None
    ) -> None:
        children = [
            span("t", f"c{place}", "b", service, start_s=2 + place)
            for place, service in enumerate(called)
        ]
        tree = tree_of(span("t", "a"), span("t", "b", "a", start_s=1), *children)
        assert callees(tree)["b"] == callee

    def test_leaf_operations_know_the_services_that_share_them(self) -> None:
        tree = tree_of(
            *self.rows,
            span("t2", "a", "", "stock", "GET /"),
            span("t2", "b", "a", "stock", "select", start_s=1),
            span("t2", "c", "a", "stock", "select", start_s=2),
            span("t2", "d", "a", "stock", "read", start_s=3),
        )
        assert leaf_users(tree) == {
            "render": {"shop"},
            "select": {"cart", "stock"},
            "read": {"stock"},
        }

    def test_no_spans_have_no_leaf_operations(self) -> None:
        assert leaf_users(TraceTree.of(SpanTable.empty())) == {}
