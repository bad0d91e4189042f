"""Services are recognised as people write them, and never guessed from ordinary words."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.agent.service_names import ambiguous_services, mentions, services_named
from aegis.agent.spelling import slips_between

SHOP = (
    *("adservice", "cartservice", "checkoutservice", "currencyservice", "emailservice"),
    *("frontend", "paymentservice", "productcatalogservice", "recommendationservice"),
    "shippingservice",
)
TICKETS = (
    *("tk-admin-basic-info-service", "tk-admin-order-service", "tk-admin-route-service"),
    *("tk-config-service", "tk-inside-payment-service", "tk-order-other-service"),
    *("tk-order-service", "tk-payment-service", "tk-user-service", "tk-travel-service"),
    "tk-travel2-service",
)
MIXED = (
    *("shop/checkout", "shop/cart", "shop/redis-1", "shop/redis-2", "api", "order-api", "web"),
    *("checkout.prod.svc.cluster.local", "支付服务", "订单服务-v2", "PetSite"),
    *("PetSearch_X::Fargate", "PetSearch_client", "the"),
)


@pytest.mark.parametrize(
    ("said", "known", "services"),
    [
        ("why is checkoutservice slow", SHOP, ["checkoutservice"]),
        ("why is checkout slow", SHOP, ["checkoutservice"]),
        ("why is chekout slow", SHOP, ["checkoutservice"]),
        ("check out is slow", SHOP, ["checkoutservice"]),
        ("check-out is slow", SHOP, ["checkoutservice"]),
        ("the CheckOut Service is slow", SHOP, ["checkoutservice"]),
        ("checkout服务为什么慢", SHOP, ["checkoutservice"]),
        ("ｃｈｅｃｋｏｕｔ 慢", SHOP, ["checkoutservice"]),
        ("payments fail", SHOP, ["paymentservice"]),
        ("payemnt fails", SHOP, ["paymentservice"]),
        ("recomendation and product catalog", SHOP, SHOP[8:6:-1]),
        ("front end errors", SHOP, ["frontend"]),
        ("the shopping cart", SHOP, ["cartservice"]),
        ("cart -> checkout -> cart", SHOP, ["cartservice", "checkoutservice"]),
        ("ad service", SHOP, ["adservice"]),
        ("tk-order", TICKETS, ["tk-order-service"]),
        ("order service", TICKETS, ["tk-order-service"]),
        ("tk_order_service", TICKETS, ["tk-order-service"]),
        ("TkOrderService", TICKETS, ["tk-order-service"]),
        ("tk-ordr-service", TICKETS, ["tk-order-service"]),
        ("order other", TICKETS, ["tk-order-other-service"]),
        ("admin order", TICKETS, ["tk-admin-order-service"]),
        ("inside payment and payment", TICKETS, [TICKETS[4], TICKETS[7]]),
        ("travel2 calls travel", TICKETS, ["tk-travel2-service", "tk-travel-service"]),
        ("config service", TICKETS, ["tk-config-service"]),
        ("cart", MIXED, ["shop/cart"]),
        ("redis-1", MIXED, ["shop/redis-1"]),
        ("order api", MIXED, ["order-api"]),
        ("`api` is slow", MIXED, ["api"]),
        ("the api service is slow", MIXED, ["api"]),
        ("支付为什么慢", MIXED, ["支付服务"]),
        ("支付服务报错，然后订单服务超时", MIXED, ["支付服务", "订单服务-v2"]),
        ("petsite", MIXED, ["PetSite"]),
    ],
)
def test_a_service_is_recognised(said: str, known: tuple[str, ...], services: list[str]) -> None:
    found = mentions(said, known)
    assert services_named(said, known) == tuple(services)
    assert ambiguous_services(found) == ()


@pytest.mark.parametrize(
    ("said", "known", "services"),
    [
        ("checkout", MIXED, ["checkout.prod.svc.cluster.local", "shop/checkout"]),
        ("redis", MIXED, ["shop/redis-1", "shop/redis-2"]),
        ("pet search", MIXED, ["PetSearch_X::Fargate", "PetSearch_client"]),
        ("paymnt", ("payment-a", "payment-b"), ["payment-a", "payment-b"]),
    ],
)
def test_a_name_that_fits_several_services_names_them_all_and_says_so(
    said: str, known: tuple[str, ...], services: list[str]
) -> None:
    found = mentions(said, known)
    assert sorted(services_named(said, known)) == services
    assert sorted(ambiguous_services(found)) == services


def test_a_service_named_for_sure_is_not_ambiguous() -> None:
    found = mentions("redis, I mean redis-2", MIXED)
    assert ambiguous_services(found) == ("shop/redis-1",)


@pytest.mark.parametrize(
    "said",
    [
        *("the service is slow", "why is the api slow", "app", "my app is down", "服务挂了"),
        *("config change yesterday", "currently slow", "inside the cluster", "", "24 个实例"),
        *("502 at 10.0.0.1:8080", "users cannot log in", "what is the status", "ads", "skipped"),
        *("v2 is slow", "form", "crat", "支付为什么慢"),
    ],
)
@pytest.mark.parametrize("known", [SHOP, TICKETS, ("api", "app", "service", "the")])
def test_an_ordinary_word_names_no_service(said: str, known: tuple[str, ...]) -> None:
    assert services_named(said, known) == ()


def test_numbers_in_names_are_never_corrected() -> None:
    assert services_named("worker-12", ("worker-13", "worker-21")) == ()
    assert services_named("redis-3", MIXED) == ()


def test_a_longer_name_wins_over_a_shorter_one_inside_it() -> None:
    assert services_named("cart-redis", ("cart", "cart-redis", "redis")) == ("cart-redis",)


def test_no_service_is_named_where_none_is_known() -> None:
    assert services_named("why is checkout slow", ()) == ()


def test_the_order_of_known_services_changes_nothing() -> None:
    said = "redis and chekout and admin and pet search"
    few = (*MIXED[:4], *TICKETS[:2])
    answers = {services_named(said, order) for order in itertools.permutations(few)}
    assert len(answers) == 1


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=8))
def test_any_text_gives_known_services_each_once(said: str, known: list[str]) -> None:
    named = services_named(said, known)
    assert set(named) <= set(known)
    assert len(set(named)) == len(named)


@given(st.sampled_from(SHOP + TICKETS), st.sampled_from([str.upper, str.title, str.lower]))
def test_a_full_name_is_recognised_in_any_case(name: str, cased: object) -> None:
    assert callable(cased)
    assert services_named(f"why is {cased(name)} slow?", SHOP + TICKETS)[0] == name


@pytest.mark.parametrize(
    "piece", ["checkuot ", "abcdefghij klmno ", "a b c ", "check", "-", "支付"]
)
def test_long_hostile_text_is_searched_fast(piece: str) -> None:
    known = [f"ns{i % 7}-checkout-{i}-service" for i in range(500)] + list(SHOP + MIXED)
    began = time.process_time()
    services_named((piece * 4000)[:4000], known)
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("checkout", "checkout", 0),
        ("chekout", "checkout", 1),
        ("checkkout", "checkout", 1),
        ("chackout", "checkout", 1),
        ("chcekout", "checkout", 1),
        ("chekcuot", "checkout", 2),
        ("", "ab", 2),
        ("ab", "", 2),
        ("abc", "ca", 3),
    ],
)
def test_slips_are_counted_with_swaps_as_one(one: str, other: str, slips: int) -> None:
    assert slips_between(one, other, 5) == slips
    assert slips_between(other, one, 5) == slips


def test_far_words_are_given_up_early() -> None:
    assert slips_between("abcdefgh", "zyxwvuts", 2) > 2
