"""Names that sources spell differently become one; nothing else does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aegis.agent.joined_names import JOINED_FROM, Joined, NameRules, join_names
from aegis.engine.signals import PEER_LABELS
from aegis.model.incident import Observations
from aegis.model.service_names import plain_name
from aegis.model.telemetry import Alarm, Change, LogLine, Matrix, Series, Span
from tests.recordings import at, between, lines_of, log_table, ns, span_table


def sampled(service: str, name: str = "cpu_percent", **labels: str) -> Series:
    times, values = np.array([ns(1)]), np.array([1.0])
    return Series(service, name, tuple(sorted(labels.items())), times, values, "q")


def spans(*services: str) -> list[Span]:
    return [
        Span(f"t{place}", "1", "", service, "get", ns(1), 5, False)
        for place, service in enumerate(services)
    ]


def lines(*services: str) -> list[LogLine]:
    return [
        LogLine(ns(9 - place), service, f"of {service}") for place, service in enumerate(services)
    ]


def seen(
    metrics: tuple[Series, ...] = (),
    traced: tuple[str, ...] = (),
    logged: tuple[str, ...] = (),
    calls: tuple[tuple[str, str], ...] = (),
) -> Observations:
    matrix, table, logs = Matrix(metrics), span_table(spans(*traced)), log_table(lines(*logged))
    everyone = {one.service for one in metrics} | set(traced) | set(logged)
    services = tuple(sorted(everyone | {name for call in calls for name in call}))
    window, extent = between(1, 2), between(0, 40)
    return Observations(window, extent, None, services, calls, (), matrix, table, logs)


def joined(observations: Observations, **overrides: str) -> Joined:
    return join_names(observations, NameRules(overrides))


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("shop/Cart", "cart"),
        ("cart@docker", "cart"),
        ("cart.shop.svc.cluster.local", "cart"),
        ("cart.shop.svc", "cart"),
        ("cart_db", "cart-db"),
        ("cart", "cart"),
        ("cart.v2", "cart.v2"),
        ("/", "/"),
    ],
)
def test_a_name_is_compared_without_what_sources_put_around_it(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_where_all_agree_nothing_changes() -> None:
    observations = seen((sampled("cart"),), ("cart",), ("cart",))
    found = joined(observations)
    assert found.names == {}
    assert found.observations is observations


def test_traces_spell_a_name_best_then_metrics_then_logs() -> None:
    every = joined(seen((sampled("shop/cart"),), ("Cart",), ("cart",)))
    assert every.names == {"shop/cart": "Cart", "cart": "Cart"}
    untraced = joined(seen((sampled("shop/cart"),), (), ("cart",)))
    assert untraced.names == {"cart": "shop/cart"}


def test_an_ending_that_says_nothing_is_no_other_service_unless_one_source_knows_both() -> None:
    traced = joined(seen((sampled("cart"), sampled("pay")), ("cart-service", "pay"), ("cart_svc",)))
    assert traced.names == {"cart": "cart-service", "cart_svc": "cart-service"}
    pods = joined(seen((), ("cart-service",), ("cart-5c4d8f9b7-xk2p9", "cart")))
    assert pods.names == {"cart": "cart-service", "cart-5c4d8f9b7-xk2p9": "cart-service"}
    both = joined(seen((sampled("cart"),), ("cart", "cart-service"), ("cart",)))
    assert both.names == {}


def test_who_said_what_a_service_is_called_is_not_second_guessed() -> None:
    rules = NameRules({"cart-service": "basket"})
    observations = seen((sampled("cart"),), ("cart-service",), ("cart",))
    assert join_names(observations, rules).names == {"cart-service": "basket"}


def test_how_to_ask_for_the_lines_of_a_service_keeps_to_the_service() -> None:
    observations = seen((sampled("cart"),), (), ("shop/cart", "pay"))
    selectors = {"shop/cart": '{job="shop/cart"}', "pay": '{job="pay"}'}
    told = replace(observations, logs=replace(observations.logs, selectors=selectors))
    assert joined(told).observations.logs.selectors == {
        "cart": '{job="shop/cart"}',
        "pay": '{job="pay"}',
    }


def test_every_table_and_list_has_the_new_name() -> None:
    observations = replace(
        seen((sampled("shop/cart"),), ("Cart", "db"), ("cart",), (("Cart", "db"), ("cart", "db"))),
        alarm=Alarm("cart", "latency"),
        changes=(Change("shop/cart", at(1)),),
    )
    found = joined(observations).observations
    assert found.services == ("Cart", "db")
    assert found.calls == (("Cart", "db"),)
    assert found.alarm == Alarm("Cart", "latency")
    assert [one.service for one in found.changes] == ["Cart"]
    assert [one.service for one in found.metrics.series] == ["Cart"]
    assert set(found.spans.services) == {"Cart", "db"}
    assert [one.service for one in lines_of(found.logs)] == ["Cart"]


def test_a_service_does_not_call_itself_because_two_names_were_one() -> None:
    found = joined(seen((), ("Cart",), (), (("Cart", "cart"),)))
    assert found.observations.calls == ()


def test_lines_of_services_that_became_one_are_sorted_by_time() -> None:
    found = joined(seen((), (), ("cart", "shop/cart"))).observations.logs
    assert found.services == ("cart",)
    assert [one.body for one in lines_of(found)] == ["of shop/cart", "of cart"]


def test_series_that_would_become_one_keep_the_name_they_had() -> None:
    found = joined(seen((sampled("shop/cart"), sampled("cart")), ("cart",)))
    assert [(one.service, dict(one.labels)) for one in found.observations.metrics.series] == [
        ("cart", {}),
        ("cart", {JOINED_FROM: "shop/cart"}),
    ]


@pytest.mark.parametrize("label", PEER_LABELS)
def test_a_peer_in_a_label_is_renamed_too_and_no_other_label(label: str) -> None:
    series = sampled("web", "client_errors", **{label: "shop/cart"}, route="shop/cart")
    found = joined(seen((series,), ("cart", "web"), ("shop/cart",)))
    assert dict(found.observations.metrics.series[0].labels) == {
        label: "cart",
        "route": "shop/cart",
    }


@pytest.mark.parametrize("pod", ["cart-7d9f8b6c5d-x2x9z", "cart-x2x9z", "cart-0"])
def test_a_pod_is_its_workload_where_that_is_known(pod: str) -> None:
    assert joined(seen((), ("cart",), (pod,))).names == {pod: "cart"}
    assert joined(seen((), ("mail",), (pod,))).names == {}


def test_it_tells_every_name_with_its_other_spellings() -> None:
    found = joined(seen((sampled("shop/cart"), sampled("mail@eu")), ("Cart", "mail"), ("cart",)))
    assert found.told() == ('{"names": 3}', '{"Cart": ["cart", "shop/cart"], "mail": ["mail@eu"]}')


def test_people_know_better() -> None:
    observations = seen((sampled("legacy-basket"),), ("cart",), ())
    assert joined(observations, **{"legacy-basket": "cart"}).names == {"legacy-basket": "cart"}
    assert joined(observations, cart="basket").names == {"cart": "basket"}


def test_the_order_in_which_names_come_is_no_input() -> None:
    one = joined(seen((sampled("b/cart"), sampled("a/cart")), (), ()))
    other = joined(seen((sampled("a/cart"), sampled("b/cart")), (), ()))
    assert one.names == other.names == {"b/cart": "a/cart"}
