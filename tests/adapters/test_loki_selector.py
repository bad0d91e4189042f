"""LOKI_SERVICE_LABEL_KEY and LOKI_SELECTOR_TEMPLATE."""

from __future__ import annotations

import pytest

from aegis.adapters.loki.identity import SERVICE_LABELS, service_label, service_of, workload_of
from aegis.adapters.loki.logql import LogQuery
from aegis.adapters.loki.selector import ServiceSelector, service_selector
from aegis.model.errors import ConfigurationError, SourceRejected

USUAL = '{{{label_key}="{service}"}}'


def asked(selector: ServiceSelector, service: str) -> str:
    return LogQuery(
        selector.of_values(selector.label or "app", [selector.value_of(service)])
    ).text()


def test_the_template_of_the_manual_asks_for_one_service() -> None:
    assert asked(service_selector("app", USUAL), "cart") == '{app="cart"}'


def test_without_settings_the_label_is_still_to_be_found() -> None:
    assert service_selector(None, None) == ServiceSelector()
    assert service_selector(None, "") == ServiceSelector()
    assert service_selector(None, USUAL).label is None


def test_a_template_may_narrow_every_query() -> None:
    template = '{{namespace=~"shop|pay", cluster!="old",{label_key}="{service}"}}'
    selector = service_selector("app", template)
    assert asked(selector, "cart") == '{namespace=~"shop|pay", cluster!="old", app="cart"}'
    assert LogQuery(selector.of_every_service("app")).text() == (
        '{namespace=~"shop|pay", cluster!="old", app=~".+"}'
    )


def test_a_template_may_put_text_around_the_service() -> None:
    selector = service_selector(None, '{{job="a.b/{service}-svc"}}')
    assert asked(selector, "cart") == '{job="a.b/cart-svc"}'
    assert selector.service_in("a.b/cart-svc") == "cart"
    assert LogQuery(selector.of_every_service("job")).text() == r'{job=~"a\\.b/.+-svc"}'


@pytest.mark.parametrize("service", ['x"} or {a=~".+', "{label_key}", "{0}", "\\", "\u202ex"])
def test_a_service_name_is_never_read_as_template_or_query(service: str) -> None:
    selector = service_selector("app", USUAL)
    matchers = selector.of_values("app", [selector.value_of(service)])
    assert [one.value for one in matchers] == [service]
    assert asked(selector, service).count("{") <= 1 + service.count("{")


@pytest.mark.parametrize(
    "template",
    [
        "{service}",
        '{app="{service}"}',
        '{{app="x"}}',
        '{{app=~"{service}"}}',
        '{{app!="{service}"}}',
        '{{app="{service}{service}"}}',
        '{{app="{service}", b="{service}"}}',
        '{{{label_key}="x", app="{service}"}}',
        '{{{service}="{service}"}}',
        '{{app="{service}"}} |= "x"',
        '{{app="{service}"}} or {{app=~".+"}}',
        '{{app="{service.__class__}"}}',
        '{{app="{service!r}"}}',
        '{{app="{service:>9}"}}',
        '{{app="{0}"}}',
        '{{app="{other}"}}',
        '{{app="{service"}}',
        "{{app=`{service}`}}",
        '{{app="{service}" b="c"}}',
        "x" * 513,
    ],
)
def test_a_wrong_template_is_refused_by_name(template: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^LOKI_SELECTOR_TEMPLATE: "):
        service_selector("app", template)


@pytest.mark.parametrize("key", ["a b", '"', "a.b", "1", "{app}", "ä"])
def test_a_wrong_label_key_is_refused_by_name(key: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^LOKI_SERVICE_LABEL_KEY: "):
        service_selector(key, None)


def test_the_service_label_is_the_best_one_there_is() -> None:
    for place, name in enumerate(SERVICE_LABELS):
        there = [*reversed(SERVICE_LABELS[place:]), "filename"]
        assert service_label(there, ServiceSelector()) == name


def test_a_configured_label_goes_before_all_others() -> None:
    assert service_label(["service_name", "team"], ServiceSelector("team")) == "team"


def test_a_configured_label_that_no_stream_has_is_told_with_those_there_are() -> None:
    with pytest.raises(SourceRejected, match=r"^LOKI_SERVICE_LABEL_KEY: .*'team'.*job, pod"):
        service_label(["pod", "job"], ServiceSelector("team"))


def test_streams_without_any_known_label_ask_for_the_setting() -> None:
    with pytest.raises(SourceRejected, match=r"^LOKI_SERVICE_LABEL_KEY: .*: filename, host"):
        service_label(["host", "filename"], ServiceSelector())


def test_a_service_named_only_by_its_container_is_its_workload() -> None:
    labels = {"service_name": "server", "container": "server", "pod": "cart-5c4d8f9b7-xk2p9"}
    assert service_of(labels, "service_name", ServiceSelector()) == "cart"
    assert service_of({**labels, "app": "shop"}, "service_name", ServiceSelector()) == "server"
    assert service_of(labels, "container", ServiceSelector()) == "cart"
    assert service_of(labels, "container", ServiceSelector("container")) == "server"
    named = {**labels, "service_name": "checkout"}
    assert service_of(named, "service_name", ServiceSelector()) == "checkout"


def test_a_container_whose_pod_has_a_release_before_its_name_is_the_service() -> None:
    pod = {"pod": "blue-cart-5c4d8f9b7-xk2p9"}
    for label in ("container", "service_name"):
        labels = {**pod, "container": "cart", "service_name": "cart"}
        assert service_of(labels, label, ServiceSelector()) == "cart"
    labels = {"pod": "cart-server-5c4d8f9b7-xk2p9", "container": "server"}
    assert service_of(labels, "container", ServiceSelector()) == "cart-server"


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"pod": "cart-5c4d8f9b7-xk2p9", "namespace": "prod"}, "cart"),
        ({"job": "prod/cart", "container": "main", "pod": "x-0"}, "prod/cart"),
        ({"k8s_deployment_name": "cart", "k8s_pod_name": "cart-canary-5c4d8f9b7-xk2p9"}, "cart"),
        ({"container": "cart"}, "cart"),
        ({"unit": "cart.service"}, "cart.service"),
        ({"filename": "/var/log/cart"}, "unknown_service"),
    ],
)
def test_what_loki_found_no_name_for_is_named_by_the_other_labels(
    labels: dict[str, str], service: str
) -> None:
    given = {**labels, "service_name": "unknown_service"}
    assert service_of(given, "service_name", ServiceSelector()) == service


def test_a_program_that_names_nothing_but_its_language_is_its_workload() -> None:
    labels = {"service_name": "unknown_service:java", "k8s_pod_name": "cart-0"}
    assert service_of(labels, "service_name", ServiceSelector()) == "cart"
    assert service_of(
        {"service_name": "unknown_service:go"}, "service_name", ServiceSelector()
    ) == ("unknown_service:go")


def test_where_streams_have_only_a_pod_the_workload_is_the_service() -> None:
    labels = {"namespace": "prod", "pod": "cart-5c4d8f9b7-xk2p9"}
    assert service_label(sorted(labels), ServiceSelector()) == "pod"
    assert service_of(labels, "pod", ServiceSelector()) == "cart"


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("cart-5c4d8f9b7-xk2p9", "cart"),
        ("cart-redis-0", "cart-redis"),
        ("node-agent-8xk2p", "node-agent"),
        ("cart", "cart"),
        ("-12345", "-12345"),
    ],
)
def test_a_workload_is_the_pod_without_its_tail(pod: str, workload: str) -> None:
    assert workload_of(pod) == workload
