"""A user's file adds conventions, takes the place of shipped ones, and is told its mistakes."""

from __future__ import annotations

import re
from pathlib import Path

import promql_parser
import pytest

from aegis.adapters.prometheus.catalog import load_catalog
from aegis.adapters.prometheus.inventory import Inventory, MetricInfo
from aegis.adapters.prometheus.plan import plan
from aegis.model.errors import ConfigurationError

ROOT = Path(__file__).parents[3]
GOOD = """
conventions:
  - convention: shop
    about: Our own names.
    identity: [shop_service]
    metrics:
      calls: {name: shop_calls_total, needs: [result]}
      open: shop_open_orders
    signals:
      - {series: shop_error_share, signal: errors, ask: share, of: calls, bad: 'result="bad"'}
      - {series: shop_orders_pending, signal: saturation, ask: gauge, of: open}
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "signals.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_its_conventions_come_before_the_shipped_ones(written: Path) -> None:
    catalog = load_catalog(written)
    assert catalog.conventions[0].name == "shop"
    assert catalog.conventions[1:] == load_catalog().conventions
    labels = {"shop_service": frozenset({"cart"}), "result": frozenset({"ok"})}
    found = plan(
        Inventory({"shop_calls_total": MetricInfo("shop_calls_total", "counter", labels=labels)}),
        catalog,
        120,
    )
    errors = next(one for one in found.queries if one.series_name == "shop_error_share")
    assert errors.identity == ("shop_service",)
    assert 'rate(shop_calls_total{result!="",result="bad"}[120s])' in errors.promql


def test_a_shipped_name_takes_the_shipped_place_and_disable_switches_off(written: Path) -> None:
    text = GOOD.replace("convention: shop", "convention: redis") + "disable: [mysql, go]\n"
    written.write_text(text, encoding="utf-8")
    names = [one.name for one in load_catalog(written).conventions]
    assert names[0] == "redis"
    assert names.count("redis") == 1
    assert not {"mysql", "go"} & set(names)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("conventions:", "convention:", r"signals.yaml.convention: unknown key"),
        ("convention: shop", "convention: 5", r"conventions\[0\].convention: must be a text"),
        ("about:", "abuot:", r"conventions\[0\] \(shop\).abuot: unknown key"),
        ("about: Our", "layer: cloud #", r"\(shop\).layer: must be one of service, kubernetes"),
        ("[shop_service]", "{a: b}", r"\(shop\).identity: must be a list of texts"),
        ("of: calls", "of: cals", r"\(shop\).signals\[0\].of: cals is not under metrics"),
        ("of: calls, ", "", r"\(shop\).signals\[0\].of: is needed to ask for a share"),
        ("signal: errors", "signal: error", r"signals\[0\].signal: must be one of traffic, errors"),
        ("ask: share", "ask: percent", r"signals\[0\].ask: must be one of rate, increase"),
        (", bad: 'result=\"bad\"'", "", r"signals\[0\].bad: a share needs bad or bad_of"),
        ("'result=\"bad\"'", "'result is bad'", r"signals\[0\].bad: must look like label="),
        ("'result=\"bad\"'", "'result=~\"(\"'", r"\(shop\).shop_error_share: is no PromQL"),
        ("shop_error_share", "Shop-Errors", r"signals\[0\].series: must be lower-case words"),
        ("needs: [result]", "unit: hours", r"\(shop\).metrics.calls.unit: must be one of"),
        ("name: shop_calls_total", "pattern: '('", r"metrics.calls.pattern: is no regular expr"),
        ("name: shop_calls_total, ", "", r"metrics.calls.name: give exactly one of name, otel"),
        ("ask: gauge", "ask: quantile, quantile: 95", r"quantile: must be between 0 and 1"),
        ("ask: gauge", "ask: gauge, scale: two", r"signals\[1\].scale: must be a number"),
        ("ask: gauge", "ask: gauge, complement: 1", r"complement: must be true or false"),
        ("ask: gauge", "ask: expression", r"signals\[1\].expression: is needed"),
        ("ask: gauge", "ask: expression, expression: up", r"names no metric: write \{rate:"),
        ("conventions:", "conventions: [[", r"is no YAML"),
        ("conventions:", "disable: [nosuch]\nconventions:", r"no convention is named 'nosuch'"),
    ],
)
def test_a_mistake_is_told_by_file_entry_and_key(
    old: str, new: str, told: str, written: Path
) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    written.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=told) as error:
        load_catalog(written)
    assert str(error.value).startswith(str(written))
    assert "\n" not in str(error.value)


def test_a_hostile_metric_name_stays_a_name(written: Path) -> None:
    name = 'x"} or vector(1) #\n\u202e'
    text = GOOD.replace("name: shop_calls_total", 'pattern: "(?s).*"')
    written.write_text(text, encoding="utf-8")
    labels = {"shop_service": frozenset({"cart"}), "result": frozenset({"ok"})}
    found = plan(
        Inventory({name: MetricInfo(name, "counter", labels=labels)}), load_catalog(written), 60
    )
    errors = next(one for one in found.queries if one.series_name == "shop_error_share")
    assert errors.promql.isprintable()
    assert r'{"x\"} or vector(1) #\u000a\u202e",result!=""' in errors.promql
    promql_parser.parse(errors.promql)


def test_two_conventions_of_one_name_are_a_mistake(written: Path) -> None:
    written.write_text(GOOD + GOOD.replace("\nconventions:\n", ""), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="two are named shop"):
        load_catalog(written)


def test_a_convention_without_signals_is_a_mistake(written: Path) -> None:
    written.write_text("conventions: [{convention: x}]", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="nothing comes out of this convention"):
        load_catalog(written)


@pytest.mark.parametrize("text", ["", "- a", "just text"])
def test_a_file_that_is_no_mapping_is_a_mistake(text: str, written: Path) -> None:
    written.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="must be a mapping"):
        load_catalog(written)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: cannot be read"):
        load_catalog(tmp_path / "nowhere.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=r"bytes\.yaml: cannot be read"):
        load_catalog(tmp_path / "bytes.yaml")


def test_a_huge_file_is_not_read(written: Path) -> None:
    written.write_text("#" * (1 << 20) + "\n#", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="more than 1048576"):
        load_catalog(written)


@pytest.mark.parametrize("text", ["a" * 5000, "(" * 40 + "{gauge:open}" + ")" * 40])
def test_an_expression_that_would_hurt_the_parser_is_refused(text: str, written: Path) -> None:
    expression = f"ask: expression, expression: '{{gauge:open}} + {text}'"
    written.write_text(GOOD.replace("ask: gauge", expression, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"longer than|nested deeper"):
        load_catalog(written)


def test_the_example_of_the_documentation_is_a_catalog(tmp_path: Path) -> None:
    page = (ROOT / "docs/signals.md").read_text(encoding="utf-8")
    example = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(example) == 1
    path = tmp_path / "signals.yaml"
    path.write_text(example[0], encoding="utf-8")
    assert load_catalog(path).conventions[0].name == "checkout"
