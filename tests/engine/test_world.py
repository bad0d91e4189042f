"""What is known of the services beside their symptoms."""

from __future__ import annotations

from itertools import permutations

import pytest

from aegis.engine.world import World, recency_of
from aegis.model.telemetry import Change
from tests.engine.observed import ASKED, known, seen
from tests.engine.telemetry import (
    finding,
    moment,
    observations,
    span,
    spans,
)
from tests.engine.worlds import near, world

# --- Who exists ------------------------------------------------------------------------------


def test_every_service_anything_mentions_is_known() -> None:
    here = known(
        seen(
            "shop>cart",
            services="listed",
            metrics="busy:cpu_usage fast:client_latency_p95:peer",
            traced="traced",
            logged="logged",
        )
    )

    named = "shop cart listed busy fast peer traced logged"
    assert set(here.graph.callees) == set(named.split())


def test_recorded_and_traced_calls_are_both_edges() -> None:
    tree = spans([span("t", "1", "", "shop"), span("t", "2", "1", "cart")])
    here = known(observations(ASKED, spans=tree, calls=[("cart", "db")]))

    assert here.graph.callees["shop"] == {"cart"}
    assert here.graph.callees["cart"] == {"db"}


def test_it_is_known_who_has_leaf_spans_of_which_operation() -> None:
    tree = spans([span("t", "1", "", "shop"), span("t", "2", "1", "shop", "SELECT")])

    assert known(observations(ASKED, spans=tree)).leaf_users == {"SELECT": {"shop"}}


def test_a_world_of_nothing_is_empty() -> None:
    here = known(observations(ASKED))

    assert here == World(
        graph=here.graph,
        silent=frozenset(),
        unseen=frozenset(),
        off_path=frozenset(),
        traced=frozenset(),
        views={},
        leaf_users={},
        recency={},
        load={},
        inherited={},
        surge=None,
        centrality={},
        turned_away={"away": 0.5},
        measured={},
        heard=frozenset(),
    )
    assert here.graph.callees == {}


# --- Who can be seen -------------------------------------------------------------------------


@pytest.mark.parametrize("names", list(permutations(["app", "mid", "zone"])))
@pytest.mark.parametrize(
    ("metrics", "traced", "logged", "silent"),
    [
        ("", "", "", True),
        ("db:latency_p95", "", "", True),  # a leaf that only others measure
        ("cart:client_latency_p95:db", "", "", True),
        ("db:cpu_usage", "", "", False),
        ("db:memory_usage", "", "", False),
        ("db:disk_usage", "", "", False),
        ("db:network_bytes", "", "", False),
        ("db:restarts", "", "", False),
        ("db:queue_length", "", "", False),
        ("db:latency_p95 db:cpu_usage", "", "", False),
        ("", "db", "", False),
        ("", "", "db", False),
    ],
)
def test_a_called_leaf_is_silent_unless_something_was_recorded_inside_it(
    names: tuple[str, str, str], metrics: str, traced: str, logged: str, silent: bool
) -> None:
    shop, cart, db = names
    told = [text.replace("db", db).replace("cart", cart) for text in (metrics, traced, logged)]
    here = known(
        seen(f"{shop}>{cart} {cart}>{db}", metrics=told[0], traced=told[1], logged=told[2])
    )

    assert (db in here.silent) == silent


def test_a_service_that_calls_others_may_measure_itself_by_its_latency() -> None:
    assert known(seen("shop>cart cart>db", metrics="cart:latency_p95")).silent == {"shop", "db"}


def test_a_service_nobody_calls_measures_itself_by_its_latency() -> None:
    assert known(seen("shop>db", metrics="shop:latency_p95 db:cpu_usage")).silent == frozenset()


def test_a_service_without_calls_or_samples_is_silent() -> None:
    assert known(seen(services="lonely")).silent == {"lonely"}


def test_where_others_vouch_for_a_service_it_is_silent_no_more() -> None:
    here = world("shop>db shop>cache", silent="db cache")

    assert here.vouched_for(frozenset({"db", "shop"})).silent == {"cache"}
    assert here.silent == {"db", "cache"}


@pytest.mark.parametrize(
    ("traced", "logged", "unseen"),
    [
        ("", "", {"db"}),  # metrics alone: those that call nobody
        ("shop", "", {"cart", "db"}),
        ("shop cart", "", {"db"}),
        ("shop", "cart", {"db"}),
        ("shop cart db", "", set()),
        ("cart", "", {"db"}),  # nobody calls shop
    ],
)
def test_unseen_is_who_is_called_but_writes_nothing(
    traced: str, logged: str, unseen: set[str]
) -> None:
    here = known(seen("shop>cart cart>db", services="lonely", traced=traced, logged=logged))

    assert here.unseen == unseen


def test_a_service_is_off_the_path_when_no_chain_of_calls_leads_to_a_traced_one() -> None:
    here = known(seen("app>shop shop>cart cart>db other>thing", traced="shop", services="lonely"))

    assert here.traced == {"shop"}
    assert here.off_path == {"other", "thing", "lonely"}


def test_a_caller_beside_a_traced_one_is_off_its_path() -> None:
    # it calls what the traced one calls, but no chain runs between the two
    here = known(seen("shop>db batch>db", traced="shop"))

    assert here.off_path == {"batch"}


def test_without_traces_nobody_is_off_the_path() -> None:
    assert known(seen("shop>cart", services="lonely", logged="shop")).off_path == frozenset()


@pytest.mark.parametrize(
    ("calls", "metrics", "views"),
    [
        ("probe>shop", "probe:latency_p95", {"probe": "shop"}),
        ("probe>shop", "", {"probe": "shop"}),
        ("probe>shop shop>db", "shop:cpu_usage", {"probe": "shop"}),
        ("probe>shop", "probe:cpu_usage", {}),  # it is seen from inside
        ("probe>shop probe>cart", "", {}),  # which of the two?
        ("user>probe probe>shop", "", {"user": "probe"}),  # somebody calls it
        ("", "", {}),
    ],
)
def test_a_view_is_a_pure_caller_of_one_service(
    calls: str, metrics: str, views: dict[str, str]
) -> None:
    assert known(seen(calls, metrics=metrics, services="lonely")).views == views


# --- What a view measured ---------------------------------------------------------------------


@pytest.mark.parametrize("signal", ["latency", "errors"])
def test_what_a_view_measured_is_credited_to_whom_it_calls(signal: str) -> None:
    found = finding("probe", "latency" if signal == "latency" else "errors", 2.0)

    (credited,) = world("probe>shop", views={"probe": "shop"}).credited([found])

    assert (credited.service, credited.peer) == ("shop", "shop")
    assert credited.surprise == near(1.6)  # 0.8 · 2
    assert credited.digest() == found.digest()


@pytest.mark.parametrize(("surprise", "count"), [(0.374, 0), (0.376, 1)])
def test_a_credit_within_the_noise_is_none(surprise: float, count: int) -> None:
    # 0.8 · 0.375 = 0.3, the least surprise
    here = world("probe>shop", views={"probe": "shop"})

    assert len(here.credited([finding("probe", "latency", surprise)])) == count


def test_only_latency_and_errors_measured_by_a_view_are_credited() -> None:
    here = world("probe>shop", views={"probe": "shop"})

    assert here.credited([finding("probe", "cpu"), finding("shop", "latency")]) == []
    assert here.credited([finding("probe", "latency", source="traces")]) == []


# --- Place and change --------------------------------------------------------------------------


def test_centrality_is_the_logarithm_of_direct_neighbours_against_the_most() -> None:
    # neighbours: cart 3, shop 1, db 1, cache 1, lonely 0; log2(1 + 1) / log2(1 + 3)
    here = known(seen("shop>cart cart>db cart>cache", services="lonely"))

    assert here.centrality == {"cart": 1.0, "shop": 0.5, "db": 0.5, "cache": 0.5, "lonely": 0.0}


def test_two_that_call_each_other_alone_are_fully_central() -> None:
    assert known(seen("shop>db")).centrality == {"shop": 1.0, "db": 1.0}


def test_where_nobody_calls_anybody_nobody_is_central() -> None:
    assert known(seen(services="a b")).centrality == {"a": 0.0, "b": 0.0}


@pytest.mark.parametrize(
    ("time_s", "recency"),
    [
        (600, 1.0),  # at the start
        (0, 0.367879),  # ten minutes before: 1/e
        (-600, 0.135335),  # twenty: 1/e²
        (700, 1.0),  # within
        (899, 1.0),
    ],
)
def test_a_change_is_the_less_recent_the_longer_before_the_window(
    time_s: float, recency: float
) -> None:
    assert recency_of([Change("db", moment(time_s))], ASKED) == {"db": near(recency)}


@pytest.mark.parametrize("time_s", [900, 901])
def test_a_change_at_or_after_the_end_is_no_cause(time_s: float) -> None:
    assert recency_of([Change("db", moment(time_s))], ASKED) == {}


def test_the_nearest_of_several_changes_counts() -> None:
    old, new = Change("db", moment(-600)), Change("db", moment(0))

    for order in ([old, new], [new, old]):
        assert recency_of(order, ASKED) == {"db": near(0.367879)}


def test_changes_can_be_left_out() -> None:
    observed = seen(services="db", changes=(Change("db", moment(600)),))

    assert known(observed).recency == {"db": 1.0}
    assert known(observed, use_changes=False).recency == {}
