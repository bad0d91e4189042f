"""The shipped conventions: read by the parser of PromQL, and by the engine as intended."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path, PurePath

import promql_parser
import pytest

from aegis.adapters.prometheus.catalog import CONVENTIONS, load_catalog
from aegis.adapters.prometheus.catalog_checks import check_expressions
from aegis.adapters.prometheus.entries import Convention, SignalEntry
from aegis.engine.signals import Meaning, meaning_of
from tests.engine.telemetry import series

ROOT = Path(__file__).parents[3]
CATALOG = load_catalog()
SHARES = (0.01, 0.02, 0.0, 0.01, 0.02)
ENTRIES = {entry.series: entry for one in CATALOG.conventions for entry in one.signals}


def meaning(name: str) -> Meaning:
    found = meaning_of(series("cart", name, SHARES))
    assert found is not None, name
    return found


def test_the_data_is_where_an_installed_package_has_it() -> None:
    shipped = files("aegis.adapters.prometheus") / "conventions"
    assert {one.name for one in shipped.iterdir()} == {one.name for one in CONVENTIONS.iterdir()}
    assert len(CATALOG.conventions) > 90


def test_the_data_is_packed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = project["tool"]["setuptools"]["package-data"]["aegis"]
    for one in CONVENTIONS.iterdir():
        inside = PurePath(one.relative_to(ROOT / "src" / "aegis"))
        assert any(inside.match(pattern) for pattern in packed), inside


def test_names_are_given_once() -> None:
    names = [one.name for one in CATALOG.conventions]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("convention", CATALOG.conventions, ids=lambda one: one.name)
def test_every_expression_is_promql(convention: Convention) -> None:
    check_expressions("shipped", [convention])


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda one: one.series)
def test_the_engine_reads_every_series_as_its_signal(entry: SignalEntry) -> None:
    found = meaning(entry.series)
    assert found.signal == entry.signal
    assert not found.counter
    assert found.flipped == entry.series.endswith("_availability")
    assert found.caller_side == ("_client_" in entry.series)


def test_the_engine_reads_the_units() -> None:
    for name, entry in ENTRIES.items():
        if name.endswith(("_share", "_utilization")):
            assert meaning(name).unit == "share", name
        if name.endswith("_per_second"):
            assert meaning(name).unit == ("bytes" if "_bytes_" in name else "per_s"), name
        if entry.signal == "latency":
            assert meaning(name).unit == "s", name
        if name.endswith("_bytes"):
            assert meaning(name).unit == "bytes", name


def test_one_series_has_one_signal_in_all_conventions() -> None:
    for convention in CATALOG.conventions:
        for entry in convention.signals:
            assert entry.signal == ENTRIES[entry.series].signal, (convention.name, entry.series)


def test_every_convention_says_what_it_is_about() -> None:
    assert [one.name for one in CATALOG.conventions if not one.about] == []


def test_the_parser_would_notice() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        promql_parser.parse("sum by (job (up)")
