"""The page about signals tells the catalog as it is."""

from __future__ import annotations

from aegis.adapters.prometheus.catalog import load_catalog
from aegis.adapters.prometheus.entries import ASKS
from aegis.adapters.prometheus.sources import USUAL_IDENTITY
from lab.signals_page import BEGIN, PAGE, tables

ABOVE, _, BELOW = PAGE.read_text(encoding="utf-8").partition(BEGIN)


def test_its_tables_are_those_of_the_catalog() -> None:
    assert tables(load_catalog()) == BEGIN + BELOW, "run python -m lab.signals_page"


def test_every_way_to_ask_is_explained() -> None:
    rows = "".join(line for line in ABOVE.splitlines() if line.startswith("| `"))
    assert [one for one in ASKS if f"`{one}`" not in rows] == []


def test_labels_that_name_a_service_are_told_in_order() -> None:
    places = [ABOVE.index(f"`{one}`") for one in USUAL_IDENTITY]
    assert places == sorted(places)
