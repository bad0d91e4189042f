"""What is measured by whom, and whether requests multiply or get lost on the way."""

from __future__ import annotations

import pytest

from tests.engine.observed import known, seen
from tests.engine.worlds import near, world


def test_it_is_known_which_signals_a_service_measures_itself() -> None:
    here = known(
        seen(metrics="shop:latency_p95 shop:cpu_usage shop:client_latency_p95 db:error_rate")
    )

    assert here.measured == {"shop": {"latency", "cpu"}, "db": {"errors"}}


def test_it_is_known_what_a_caller_measures_of_a_callee() -> None:
    here = known(seen(metrics="shop:client_latency_p95:db shop:client_error_rate:cart"))

    assert here.heard == {("shop", "db", "latency"), ("shop", "cart", "errors")}
    assert here.measured == {}


@pytest.mark.parametrize(
    ("load", "amplified"),
    [
        ({"a": 1.0, "b": 2.0, "db": 4.0}, 1.0),
        ({"a": 1.0, "b": 2.0, "db": 2.0**0.5}, -0.5),
        ({"a": 1.0, "db": 9.0}, 1.0),
        ({"a": 9.0, "db": 1.0}, -1.0),
        ({"db": 9.0}, 0.0),
        ({"a": 9.0}, 0.0),
        ({"other": 9.0, "db": 1.0}, 0.0),
    ],
)
def test_requests_multiply_or_get_lost_on_the_way_from_the_busiest_caller(
    load: dict[str, float], amplified: float
) -> None:
    assert world("a>db b>db", "other", load=load).amplification("db") == near(amplified)
