"""Where a browser finds things: read, checked, and named where wrong."""

from __future__ import annotations

import pytest

from aegis.model.errors import ConfigurationError
from aegis.settings import read_settings
from aegis.settings.external_addresses import read_addresses

IN_EU = '{{cluster="eu", {label_key}="shop/{service}"}}'


def test_addresses_lose_their_last_slash() -> None:
    given = {
        "GRAFANA_EXTERNAL_URL": "https://grafana.example/g/",
        "PROMETHEUS_EXTERNAL_URL": "http://prom:9090",
        "JAEGER_EXTERNAL_URL": "https://j.example/jaeger",
        "AEGIS_GRAFANA_LOKI_UID": "P8E80F9AEF21F6940",
    }
    found = read_settings(given).addresses
    assert found.grafana == "https://grafana.example/g"
    assert (found.prometheus, found.jaeger) == ("http://prom:9090", "https://j.example/jaeger")
    assert (found.uid("loki"), found.uid("jaeger")) == ("P8E80F9AEF21F6940", "jaeger")


def test_nothing_is_needed() -> None:
    found = read_addresses({})
    assert (found.grafana, found.prometheus, found.jaeger) == (None, None, None)
    assert found.log_selector.format(service="cart") == '{service_name="cart"}'


@pytest.mark.parametrize(
    "text",
    [
        "grafana.example",
        "javascript:alert(1)",
        "https://",
        "https://user:secret@grafana.example",
        "https://grafana.example/?a=b",
        "https://grafana.example/#x",
        "https://grafana.example/a b",
        "https://[::1",
    ],
)
@pytest.mark.parametrize(
    "name", ["GRAFANA_EXTERNAL_URL", "PROMETHEUS_EXTERNAL_URL", "JAEGER_EXTERNAL_URL"]
)
def test_what_is_no_address_is_named(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as told:
        read_addresses({name: text})
    assert "secret" not in str(told.value)


def test_a_uid_is_a_word() -> None:
    with pytest.raises(ConfigurationError, match="AEGIS_GRAFANA_JAEGER_UID"):
        read_addresses({"AEGIS_GRAFANA_JAEGER_UID": 'x","y'})


@pytest.mark.parametrize(
    ("key", "template", "selector"),
    [
        ("app", None, '{app="cart"}'),
        (None, IN_EU, '{cluster="eu", service_name="shop/cart"}'),
        (
            "app",
            '{{cluster="eu", {label_key}="shop/{service}"}}',
            '{cluster="eu", app="shop/cart"}',
        ),
        ("app", "{service", '{service_name="cart"}'),
        ("app", "{nothing}", '{service_name="cart"}'),
        ("app", "{service.x}", '{service_name="cart"}'),
    ],
)
def test_log_links_name_streams_as_the_log_source_does(
    key: str | None, template: str | None, selector: str
) -> None:
    given = {"LOKI_SERVICE_LABEL_KEY": key or "", "LOKI_SELECTOR_TEMPLATE": template or ""}
    told = read_addresses(given).log_selector.format(service="cart")
    assert told == selector
