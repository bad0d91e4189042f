"""Who calls whom."""

from __future__ import annotations

import pytest

from aegis.engine.graph import CallGraph, traced_calls
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import Span, SpanTable
from tests.engine.worlds import calls_of
from tests.recordings import span_table


def graph(calls: str, services: str = "") -> CallGraph:
    return CallGraph.of(services.split(), calls_of(calls))


def span(trace: str, name: str, parent: str, service: str) -> Span:
    return Span(trace, name, parent, service, "GET /", 0, 10, error=False)


def test_callees_and_callers_are_the_two_ends_of_each_call() -> None:
    found = graph("shop>cart shop>pay cart>db pay>db")

    assert found.callees["shop"] == {"cart", "pay"}
    assert found.callees["cart"] == {"db"}
    assert found.callees["db"] == frozenset()
    assert found.callers["db"] == {"cart", "pay"}
    assert found.callers["shop"] == frozenset()


def test_services_without_calls_are_present_with_nobody_around_them() -> None:
    found = graph("", "lonely")

    assert found.callees == {"lonely": frozenset()}
    assert found.callers == {"lonely": frozenset()}


def test_a_service_that_calls_itself_is_not_its_own_callee() -> None:
    found = graph("cart>cart cart>db")

    assert found.callees["cart"] == {"db"}
    assert found.callers["cart"] == frozenset()


def test_a_call_to_itself_alone_adds_no_service() -> None:
    assert graph("cart>cart").callees == {}


def test_calls_bring_in_services_nobody_listed_at_either_end() -> None:
    found = graph("shop>cart", "other")

    assert set(found.callees) == set(found.callers) == {"shop", "cart", "other"}


def test_downstream_counts_the_fewest_hops_and_leaves_the_service_out() -> None:
    found = graph("shop>cart cart>stock stock>db shop>stock")

    assert found.downstream("shop") == {"cart": 1, "stock": 1, "db": 2}
    assert found.downstream("db") == {}


def test_upstream_is_downstream_seen_from_the_other_end() -> None:
    found = graph("shop>cart cart>db app>shop")

    assert found.upstream("db") == {"cart": 1, "shop": 2, "app": 3}
    assert found.upstream("app") == {}


def test_a_cycle_of_calls_ends() -> None:
    found = graph("a>b b>c c>a")

    assert found.downstream("a") == {"b": 1, "c": 2}
    assert found.upstream("a") == {"c": 1, "b": 2}


def test_a_service_unknown_to_the_graph_has_nobody_downstream() -> None:
    assert graph("a>b").downstream("stranger") == {}


def test_no_spans_show_no_calls() -> None:
    assert traced_calls(TraceTree.of(SpanTable.empty())) == frozenset()


def test_root_spans_alone_show_no_calls() -> None:
    tree = TraceTree.of(span_table([span("t1", "1", "", "shop"), span("t2", "1", "", "cart")]))

    assert traced_calls(tree) == frozenset()


def test_one_child_span_is_enough_to_show_a_call() -> None:
    tree = TraceTree.of(span_table([span("t1", "1", "", "shop"), span("t1", "2", "1", "cart")]))

    assert traced_calls(tree) == {("shop", "cart")}


@pytest.mark.parametrize("rotation", [0, 1, 2])
def test_traces_show_calls_between_different_services_only(rotation: int) -> None:
    names = ("app", "mid", "zone")
    shop, cart, db = names[rotation:] + names[:rotation]
    tree = TraceTree.of(
        span_table(
            [
                span("t1", "1", "", shop),
                span("t1", "2", "1", shop),
                span("t1", "3", "2", cart),
                span("t2", "1", "", cart),
                span("t2", "2", "1", db),
            ]
        )
    )

    assert traced_calls(tree) == {(shop, cart), (cart, db)}
